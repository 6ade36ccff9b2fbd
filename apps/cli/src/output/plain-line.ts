import { stripVTControlCharacters } from 'node:util';

/** What others wrote as one line that steers no terminal: no escape sequence, nothing that moves the cursor or rings. */
export function plainLine(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\s*[\r\n]+\s*/g, ' ')
    .replaceAll(/\p{Cc}/gu, (character) => (character === '\t' ? ' ' : '\ufffd'));
}

const escape = '\u001b';

/** Colours of this program, and what arranges its lines. */
const arranged = new RegExp(`(${escape}\\[[\\d;]*m|[\\n\\t])`);

/** The same for text of this program with parts of others in it: its lines and colours stay. */
export function plainText(text: string): string {
  const parts = text.split(arranged);
  return parts.map((part, index) => (index % 2 === 1 ? part : plainLine(part))).join('');
}
