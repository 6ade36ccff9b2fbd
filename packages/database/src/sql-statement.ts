/** What was read of a statement so far. */
export interface SqlStatement {
  /** Its first words; what is no word ends them. */
  readonly words: string[];
  readonly identifiers: string[];
  tokens: number;
  last: string;
  parentheses: number;
  blocks: number;
  readsRows: boolean;
}

/** One of which nothing was read. */
export const newStatement = (): SqlStatement => ({
  words: [],
  identifiers: [],
  tokens: 0,
  last: '',
  parentheses: 0,
  blocks: 0,
  readsRows: false,
});

/** In `CREATE FUNCTION … BEGIN ATOMIC … END` semicolons end nothing: told as psql tells it. */
export function trackBlocks(statement: SqlStatement, name: string): void {
  const { identifiers } = statement;
  if (identifiers.length < 4) identifiers.push(name);
  const [first, ...rest] = identifiers;
  const kind = rest[0] === 'or' && rest[1] === 'replace' ? rest[2] : rest[0];
  if (first !== 'create' || (kind !== 'function' && kind !== 'procedure') || statement.parentheses > 0) return;
  if (name === 'begin') statement.blocks += 1;
  else if (name === 'case' && statement.blocks > 0) statement.blocks += 1;
  else if (name === 'end' && statement.blocks > 0) statement.blocks -= 1;
}
