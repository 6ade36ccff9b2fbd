import { stripVTControlCharacters } from 'node:util';

// East Asian wide characters and emoji take two columns of a terminal, combining marks none.
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const none = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

/** How many columns of a terminal `text` takes; escape sequences take none. */
export function textWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (/^\p{ASCII}*$/u.test(plain)) return plain.length;
  let width = 0;
  for (const character of plain) width += columnsOf(character);
  return width;
}

/** `text` without its escape sequences, cut to `width` columns; what was cut off is `…`. */
export function truncateText(text: string, width: number): string {
  const plain = stripVTControlCharacters(text);
  if (textWidth(plain) <= width) return plain;
  let kept = '';
  let used = 1;
  for (const character of plain) {
    used += columnsOf(character);
    if (used > width) break;
    kept += character;
  }
  return `${kept}…`;
}

function columnsOf(character: string): number {
  return none.test(character) ? 0 : wide.test(character) ? 2 : 1;
}
