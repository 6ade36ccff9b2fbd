import { DeployError, type ProjectFinding } from '../deploy-error.ts';
import { secretNameProblem } from './secret-names.ts';

/**
 * Reads the text of a `.env` file: `NAME=value` a line, the last of a name counts.
 *
 * - `export` before a name, blanks around `=`, and lines that are empty or begin with `#` mean nothing.
 * - `'…'` and `` `…` `` are taken as they are; in `"…"` `\n`, `\r`, `\t`, `\\`, `\"` and `\$` stand for one character
 *   each. All three may go over several lines, and nothing but a comment may follow them.
 * - A value without quotes goes to the end of its line or to a `#` after a blank, without the blanks around it.
 * - Nothing is expanded: `$HOME` stays as it is. A byte order mark, CRLF and CR are understood.
 *
 * @throws {@link DeployError} `SP_DEPLOY_DOTENV_INVALID` with all `findings`, each with its `line`; no value is in any
 * of them
 * @example
 * parseDotenv('export LOG_LEVEL="debug" # loud'); // { LOG_LEVEL: 'debug' }
 */
export function parseDotenv(text: string): Readonly<Record<string, string>> {
  const source = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const values = new Map<string, string>();
  const findings: ProjectFinding[] = [];
  let at = 0;
  let line = 1;
  while (at < source.length) {
    const entry = readEntry(source, at);
    const report = (problem: string): void => void findings.push({ path: '.env', line, problem });
    if (entry.kind === 'invalid') report(entry.problem);
    else if (entry.kind === 'value') {
      const problem = secretNameProblem(entry.name);
      if (problem !== undefined) report(`${entry.name} is ${problem}`);
      else if (entry.value.includes('\0')) report(`${entry.name} has a NUL`);
      else values.set(entry.name, entry.value);
    }
    line += source.slice(at, entry.end).split('\n').length - 1;
    at = entry.end;
  }
  if (findings.length > 0) throw invalid(findings);
  // Own members, whatever their names: `__proto__` is a name like any other.
  return Object.fromEntries(values);
}

/** What is at one place of the file, and where the next line begins. */
type Entry =
  | { readonly kind: 'nothing'; readonly end: number }
  | { readonly kind: 'invalid'; readonly problem: string; readonly end: number }
  | { readonly kind: 'value'; readonly name: string; readonly value: string; readonly end: number };

const assignment = /^[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][A-Za-z0-9_]*)[^\S\n]*=[^\S\n]*/;

function readEntry(source: string, at: number): Entry {
  const end = lineEnd(source, at);
  const text = source.slice(at, end);
  if (/^\s*(?:#|$)/.test(text)) return { kind: 'nothing', end };
  const match = assignment.exec(text);
  const name = match?.[1];
  if (match === null || name === undefined) return { kind: 'invalid', problem: 'not NAME=value', end };
  const begin = at + match[0].length;
  const quote = source.charAt(begin);
  if (quote !== '"' && quote !== "'" && quote !== '`') {
    const value = source
      .slice(begin, end)
      // The blanks before a value are gone already, so a comment may be all there is.
      .replace(match[0].endsWith('=') ? /\s#.*$|\n$/s : /(?:^|\s)#.*$|\n$/s, '')
      .trim();
    return { kind: 'value', name, value, end };
  }
  const close = closingQuote(source, begin, quote);
  if (close === undefined) return { kind: 'invalid', problem: `the quote of ${name} is not closed`, end };
  const after = lineEnd(source, close);
  if (!/^[^\S\n]*(?:#.*)?\n?$/.test(source.slice(close + 1, after))) {
    return { kind: 'invalid', problem: `something follows the closing quote of ${name}`, end: after };
  }
  const raw = source.slice(begin + 1, close);
  return { kind: 'value', name, value: quote === '"' ? unescape(raw) : raw, end: after };
}

/** Behind the line break that ends the line. */
function lineEnd(source: string, at: number): number {
  const found = source.indexOf('\n', at);
  return found === -1 ? source.length : found + 1;
}

function closingQuote(source: string, begin: number, quote: string): number | undefined {
  for (let index = begin + 1; index < source.length; index += 1) {
    const character = source.charAt(index);
    if (character === quote) return index;
    if (character === '\\' && quote === '"') index += 1;
  }
  return undefined;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', '"': '"', $: '$' };

/** A backslash before anything else is a backslash. */
function unescape(raw: string): string {
  return raw.replace(/\\([nrt\\"$])/g, (whole, letter: string) => escapes[letter] ?? whole);
}

function invalid(findings: readonly ProjectFinding[]): DeployError {
  const list = findings.map(({ line, problem }) => `line ${line}: ${problem}`).join(', ');
  return new DeployError('SP_DEPLOY_DOTENV_INVALID', `The variables cannot be read: ${list}`, { findings });
}
