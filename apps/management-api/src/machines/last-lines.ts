/** The last lines of a text, oldest first; a final newline ends the last line. */
export function lastLines(text: string, lines: number): readonly string[] {
  if (text === '' || lines <= 0) return [];
  return text
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .slice(-lines);
}
