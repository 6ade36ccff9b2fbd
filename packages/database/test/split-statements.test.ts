import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitStatements } from '../src/index.ts';

test.each([
  ['select 1; select 2', ['select 1'], 'select 2'],
  ["select ';'';'; ", ["select ';'';'"], ''],
  [`select E'\\';'; x`, [`select E'\\';'`], 'x'],
  ['select "a;""b";', ['select "a;""b"'], ''],
  ['do $$ begin; end $$; x', ['do $$ begin; end $$'], 'x'],
  ['do $a$ $b$; $a$; x', ['do $a$ $b$; $a$'], 'x'],
  ['select a$b$c; select d$b$', ['select a$b$c'], 'select d$b$'],
  ['/* ; /* ; */ ; */ select 1;', ['/* ; /* ; */ ; */ select 1'], ''],
  ['-- ;\nselect 1;', ['-- ;\nselect 1'], ''],
  [';;; ;', [], ''],
  ["select 'open;", [], "select 'open;"],
  ['do $x$ ; ', [], 'do $x$ ;'],
  ['/* ; ', [], '/* ;'],
])('%j', (sql, statements, rest) => {
  expect(splitStatements(sql)).toEqual({ statements, rest });
});

test('whatever is typed, it ends and loses nothing but semicolons and space', () => {
  const piece = fc.constantFrom("'", '"', '$', '$$', '$a$', ';', '--', '\n', '/*', '*/', 'E', '\\', 'a', '1', ' ');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const sql = pieces.join('');
      const { statements, rest } = splitStatements(sql);
      const letters = (text: string): string => text.replaceAll(/[;\s]/g, '');
      expect(letters([...statements, rest].join(''))).toBe(letters(sql));
    }),
    { numRuns: 2000 },
  );
});
