import { newStatement, trackBlocks } from './sql-statement.ts';
import { type SqlProblem, UnrestorableSql } from './unrestorable-sql.ts';

/**
 * What psql may be given of a dump in SQL: the same, without what begins and ends transactions (pg_dump writes that around
 * large objects), and without the marks by which newer dumps keep psql to SQL. It reads as psql's own lexer does, and where
 * versions of psql differ, it refuses.
 *
 * `strict`: nothing but this keeps psql to SQL. Then a text is refused too whose end depends on a setting of the session.
 * @throws {UnrestorableSql} at psql's commands and at other statements about transactions, before they are passed on
 */
export async function* restorableSql(
  source: AsyncIterable<Buffer>,
  { strict }: { readonly strict: boolean },
): AsyncGenerator<Buffer> {
  const reader = createReader(strict);
  for await (const chunk of source) yield* reader.read(chunk, false);
  yield* reader.read(Buffer.alloc(0), true);
}

type Mode = 'code' | 'text' | 'escaped' | 'name' | 'dollar' | 'line comment' | 'comment' | 'rest of line' | 'rows';

const word = /[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*/y;
// With what follows a number without a gap: of that, versions of psql make different things.
const numeral = /\$?[0-9][A-Za-z0-9_.\x80-\xff]*/y;
const dollarTag = /\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$/y;
const openTag = /\$[A-Za-z0-9_\x80-\xff]*/y;
const neutral = /[^A-Za-z_\x80-\xff0-9'"$\\/\-;()]+/y;
const space = /\s/g;
const restrictMark = /\\(?:un)?restrict [A-Za-z0-9]+[ \t\r]*(?:\n|$)/y;
const bracket = /(?:begin|commit|end)(?:\s+(?:work|transaction))?\s*(?:;|$)|start\s+transaction\s*(?:;|$)/iy;
const aboutTransactions = new Set(['begin', 'commit', 'end', 'start', 'rollback', 'abort']);
// psql ends a comment at either.
const lineEnd = /[\r\n]/g;
const commentMark = /\/\*|\*\//g;
const escapedText = /(?:[^'\\]+|\\[\s\S]|'')*/y;
const plainText = /[^'\\]*/y;
// No token that means anything is longer, and no statement that is left out.
const longest = 65_536;
const bracketLength = 256;

function createReader(strict: boolean): { read(chunk: Buffer, isLast: boolean): Generator<Buffer> } {
  let mode: Mode = 'code';
  let carry: Buffer = Buffer.alloc(0);
  let line = 1;
  let statement = newStatement();
  let tag = '';
  let depth = 0;
  /** A text with backslashes has ended; another one after it would go on with it. */
  let afterEscaped = false;

  function* read(chunk: Buffer, isLast: boolean): Generator<Buffer> {
    const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    const text = bytes.toString('latin1');
    const fail = (at: number, reason: string, kind: SqlProblem['kind'] = 'unsuitable'): never => {
      throw new UnrestorableSql({ line: line + countLines(text, at), kind, reason });
    };
    const zero = text.indexOf('\0');
    if (zero !== -1) fail(zero, 'There is a zero byte');
    let at = 0;
    let sent = 0;
    /** The token goes on in the next chunk, perhaps. */
    const isOpen = (end: number): boolean => end >= text.length && !isLast;
    const match = (pattern: RegExp): string | undefined => {
      pattern.lastIndex = at;
      return pattern.exec(text)?.[0];
    };
    const token = (value: string): void => {
      statement.tokens += 1;
      statement.last = value;
      afterEscaped = false;
    };

    /** One step; `false` when there has to be more text. */
    const step = (): boolean => {
      if (mode === 'text') return readText();
      if (mode === 'escaped') {
        at += match(escapedText)?.length ?? 0;
        // Else it is a lone backslash, or a quote that may be doubled.
        if (at >= text.length || isOpen(at + 1)) return false;
        if (text[at] === '\\') return readToEnd();
        at += 1;
        mode = 'code';
        afterEscaped = true;
        return true;
      }
      if (mode === 'name') return readUntil('"', 1);
      if (mode === 'dollar') return readUntil(tag, tag.length);
      if (mode === 'line comment') {
        lineEnd.lastIndex = at;
        const end = lineEnd.exec(text)?.index;
        at = end ?? text.length;
        if (end !== undefined) mode = 'code';
        return end !== undefined;
      }
      if (mode === 'comment') return readComment();
      if (mode === 'rest of line') {
        const end = text.indexOf('\n', at);
        if (end === -1 && !isLast) return false;
        if (text.slice(at, end === -1 ? undefined : end).trim() !== '')
          fail(at, 'There is more in the line before rows');
        at = end === -1 ? text.length : end;
        mode = 'rows';
        return true;
      }
      if (mode === 'rows') return readRows();
      return readCode();
    };

    const readToEnd = (): boolean => {
      at = text.length;
      return false;
    };
    // A doubled quote is read as two texts without a gap.
    const readUntil = (end: string, length: number): boolean => {
      const found = text.indexOf(end, at);
      if (found === -1) {
        at = isLast ? text.length : Math.max(at, text.length - length + 1);
        return false;
      }
      at = found + length;
      mode = 'code';
      return true;
    };
    const readText = (): boolean => {
      at += match(plainText)?.length ?? 0;
      let end = at;
      while (text[end] === '\\') end += 1;
      if (isOpen(end)) return false;
      if (end >= text.length) {
        at = end;
        return false;
      }
      if (text[end] !== "'") {
        at = end;
        return true;
      }
      if (strict && (end - at) % 2 === 1) fail(at, 'There is a text whose end depends on a setting of the session');
      at = end + 1;
      mode = 'code';
      return true;
    };
    const readComment = (): boolean => {
      commentMark.lastIndex = at;
      const found = commentMark.exec(text);
      if (found === null) {
        at = isLast ? text.length : Math.max(at, text.length - 1);
        return false;
      }
      depth += found[0] === '/*' ? 1 : -1;
      at = commentMark.lastIndex;
      if (depth === 0) mode = 'code';
      return true;
    };
    // It stands at the end of the line before.
    const readRows = (): boolean => {
      const found = text.indexOf('\n\\.', at);
      if (found === -1) {
        at = isLast ? text.length : Math.max(at, text.length - 2);
        return false;
      }
      const after = text.slice(found + 3, found + 5);
      if (after.length < 2 && after !== '\n' && !isLast) {
        at = found;
        return false;
      }
      const ends = after.startsWith('\n') || after === '\r\n' || after === '';
      at = found + (ends ? 3 + (after === '\r\n' ? 2 : after.length > 0 ? 1 : 0) : 1);
      if (ends) mode = 'code';
      return true;
    };

    const readCode = (): boolean => {
      const gap = match(neutral);
      if (gap !== undefined) {
        at += gap.length;
        if (gap.replace(space, '') !== '') token('');
        return true;
      }
      const first = text[at] ?? '';
      const two = text.slice(at, at + 2);
      if ((first === '-' || first === '/') && isOpen(at + 1)) return false;
      if (two === '--' || two === '/*') {
        mode = two === '--' ? 'line comment' : 'comment';
        depth = 1;
        at += 2;
        return true;
      }
      if (first === "'" || first === '"') {
        if (first === "'" && afterEscaped) fail(at, 'There is a text that goes on with another one');
        token('');
        mode = first === "'" ? 'text' : 'name';
        at += 1;
        return true;
      }
      if (first === '\\') return readCommand();
      if (first === '$') {
        const found = match(dollarTag);
        if (found === undefined) {
          if (isOpen(at + (match(openTag)?.length ?? 0))) return false;
        } else {
          token('');
          tag = found;
          mode = 'dollar';
          at += found.length;
          return true;
        }
      }
      const number = match(numeral);
      if (number !== undefined) {
        if (isOpen(at + number.length)) return false;
        at += number.length;
        if (/['"$]/.test(text[at] ?? '')) fail(at, 'There is a number with something else right after it');
        token('');
        return true;
      }
      const name = match(word);
      if (name !== undefined) return readWord(name);
      if (first === ';') return endStatement();
      if (first === '(') statement.parentheses += 1;
      if (first === ')' && statement.parentheses > 0) statement.parentheses -= 1;
      token('');
      at += 1;
      return true;
    };

    const readCommand = (): boolean => {
      if (statement.tokens > 0) fail(at, 'There is a command of psql');
      const end = text.indexOf('\n', at);
      if (end === -1 && !isLast && text.length - at < longest) return false;
      const mark = match(restrictMark);
      if (mark === undefined) return fail(at, 'There is a command of psql');
      leaveOut(mark.length);
      return true;
    };
    const readWord = (name: string): boolean => {
      // Also when a quote follows: `E'…'` is a text of its own kind.
      if (isOpen(at + name.length)) return false;
      const lower = name.toLowerCase();
      if (lower === 'e' && text[at + 1] === "'") {
        if (afterEscaped) fail(at, 'There is a text that goes on with another one');
        token('');
        mode = 'escaped';
        at += 2;
        return true;
      }
      if (statement.tokens === 0 && aboutTransactions.has(lower)) {
        if (!text.slice(at, at + bracketLength).includes(';') && text.length - at < bracketLength && !isLast)
          return false;
        const left = match(bracket);
        if (left === undefined) return fail(at, `There is a statement of its own about transactions, ${lower}`);
        leaveOut(left.length);
        return true;
      }
      if (statement.tokens === 1 && statement.last === 'prepare' && lower === 'transaction') {
        fail(at, 'There is a statement of its own about transactions, prepare transaction');
      }
      if (statement.tokens === 0) statement.words.push(lower);
      const isCopy = statement.words[0] === 'copy' && statement.parentheses === 0 && statement.last === 'from';
      if (isCopy && (lower === 'stdin' || lower === 'stdout')) statement.readsRows = true;
      trackBlocks(statement, lower);
      token(lower);
      at += name.length;
      return true;
    };
    const endStatement = (): boolean => {
      at += 1;
      if (statement.parentheses > 0 || statement.blocks > 0) {
        token('');
        return true;
      }
      if (statement.readsRows) mode = 'rest of line';
      statement = newStatement();
      afterEscaped = false;
      return true;
    };
    const out: Buffer[] = [];
    /** Passes on nothing of it but its lines. */
    const leaveOut = (length: number): void => {
      out.push(bytes.subarray(sent, at), Buffer.from('\n'.repeat(countLines(text.slice(at, at + length), length))));
      at += length;
      sent = at;
    };

    while (at < text.length && step());
    if (isLast && at >= text.length && mode !== 'code' && mode !== 'line comment') {
      fail(
        at,
        `It ends within ${mode === 'rows' || mode === 'rest of line' ? 'rows' : 'a text, a name or a comment'}`,
        'damaged',
      );
    }
    if (text.length - at > longest) fail(at, 'There is a word that is too long');
    out.push(bytes.subarray(sent, at));
    line += countLines(text, at);
    carry = bytes.subarray(at);
    for (const part of out) if (part.length > 0) yield part;
  }

  return { read };
}

function countLines(text: string, end: number): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
