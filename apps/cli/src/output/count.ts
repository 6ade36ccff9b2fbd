/**
 * A number with its noun.
 *
 * @example
 * count(1, 'file'); // '1 file'
 */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
