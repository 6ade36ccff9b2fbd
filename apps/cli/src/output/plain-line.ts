import { stripVTControlCharacters } from 'node:util';

/** What others wrote as one line that steers no terminal: no escape sequence, nothing that moves the cursor or rings. */
export function plainLine(text: string): string {
  if (!hasControls(text)) return text;
  return stripVTControlCharacters(text)
    .replaceAll(/\s*[\r\n]+\s*/g, ' ')
    .replaceAll(/\p{Cc}/gu, (character) => (character === '\t' ? ' ' : '\ufffd'));
}

/** Most text has none, and the first use of the expressions above costs a millisecond. */
function hasControls(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

const escape = '\u001b';

/** Colours of this program, and what arranges its lines. */
const arranged = new RegExp(`(${escape}\\[[\\d;]*m|[\\n\\t])`);

/** The same for text of this program with parts of others in it: its lines and colours stay. */
export function plainText(text: string): string {
  const parts = text.split(arranged);
  return parts.map((part, index) => (index % 2 === 1 ? part : plainLine(part))).join('');
}
