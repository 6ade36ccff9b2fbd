import { stripVTControlCharacters } from 'node:util';

/** What others wrote as one line that steers no terminal: no escape sequence, nothing that moves the cursor or rings. */
export function plainLine(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\s*[\r\n]+\s*/g, ' ')
    .replaceAll(/\p{Cc}/gu, (character) => (character === '\t' ? ' ' : '\ufffd'));
}
