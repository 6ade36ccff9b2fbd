/** The text without the mark that some editors put before UTF-8; JSON knows none. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
