import { stripVTControlCharacters } from 'node:util';

/** Writes to stderr. Whether text is coloured was decided by looking at stdout; a log file gets none of it. */
export function writeStderr(text: string): void {
  process.stderr.write(process.stderr.isTTY ? text : stripVTControlCharacters(text));
}
