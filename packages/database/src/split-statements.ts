/** Statements that are complete, and what follows them. */
export interface SplitStatements {
  /** In order, without their semicolons. */
  readonly statements: readonly string[];
  /** What has no `;` yet, for example inside a string that goes on in the next line. */
  readonly rest: string;
}

// In order: quoted texts with doubled quotes, E'' with backslashes, $tag$…$tag$, comments. Each may be unfinished.
const skipped =
  /(?:\bE|\be)'(?:[^'\\]|\\.|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|\$([A-Za-z_]\w*)?\$[\s\S]*?(?:\$\1\$|$)|--[^\n]*|\/\*/gsy;

/**
 * Splits SQL at its semicolons, leaving alone those in texts, quoted names, dollar quotes and (nested) comments.
 *
 * @example
 * splitStatements("select ';'; select 2").statements; // ["select ';'"]
 */
export function splitStatements(sql: string): SplitStatements {
  const statements: string[] = [];
  let start = 0;
  for (let at = 0; at < sql.length; ) {
    skipped.lastIndex = at;
    const match = skipped.exec(sql);
    if (match !== null) {
      at = match[0] === '/*' ? endOfComment(sql, at) : skipped.lastIndex;
    } else {
      if (sql[at] === ';') {
        const statement = sql.slice(start, at).trim();
        if (statement !== '') statements.push(statement);
        start = at + 1;
      }
      at = /\w/.test(sql[at] ?? '') ? endOfWord(sql, at) : at + 1;
    }
  }
  return { statements, rest: sql.slice(start).trim() };
}

// `some$tag$` and `date'…'` are not the beginning of a dollar quote or of an E'' text.
function endOfWord(sql: string, from: number): number {
  const word = /[\w$]+/y;
  word.lastIndex = from;
  word.exec(sql);
  const next = word.lastIndex;
  return next > from ? next : from + 1;
}

function endOfComment(sql: string, from: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  let depth = 0;
  for (let match = mark.exec(sql); match !== null; match = mark.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return sql.length;
}
