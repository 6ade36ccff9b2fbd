import { stripVTControlCharacters } from 'node:util';

/** Writes to stderr. Whether text is coloured was decided by looking at stdout; a log file gets none, unless asked for. */
export function writeStderr(text: string): void {
  const { FORCE_COLOR: forced } = process.env;
  const coloured = process.stderr.isTTY || (forced !== undefined && forced !== '' && forced !== '0');
  process.stderr.write(coloured ? text : stripVTControlCharacters(text));
}
