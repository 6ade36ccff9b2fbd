import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { formatBytes } from '../src/output/bytes.ts';
import { formatSeconds } from '../src/output/duration.ts';
import { plainText } from '../src/output/plain-line.ts';
import { toSnakeCase } from '../src/output/snake-case.ts';
import { renderFields, renderTable } from '../src/output/table.ts';
import { shellWord } from '../src/shell-words.ts';

test('results become snake_case, all the way down', () => {
  expect(toSnakeCase({ apiUrl: 'x', gone: undefined, at: new Date(0), list: [{ isOn: true }], nothing: null })).toEqual(
    {
      api_url: 'x',
      at: '1970-01-01T00:00:00.000Z',
      list: [{ is_on: true }],
      nothing: null,
    },
  );
});

test('of a Map only the names go out', () => {
  expect(toSnakeCase({ extraHeaders: new Map([['X-Key', 'secret']]) })).toEqual({ extra_headers: ['X-Key'] });
});

test('tables align their columns and have no borders', () => {
  const text = renderTable(
    ['NAME', 'ID'],
    [
      ['hello', '1'],
      ['a', '22'],
    ],
  );
  expect(stripVTControlCharacters(text).split('\n')).toEqual(['NAME   ID', 'hello  1', 'a      22']);
});

test('what others wrote moves no cursor and rings no bell', () => {
  const table = renderTable(['NAME'], [['\u001b[31mred\u001b[0m\nnext\u0007\u009b2J']]);
  expect(table).toContain('red next\ufffd');
  for (const part of ['\u0007', '\u009b', '31m']) expect(table).not.toContain(part);
  const fields = renderFields({ Name: '\u001b]0;owned\u0007x\r\ny', Host: undefined });
  expect(stripVTControlCharacters(fields)).toBe('Name  x y');
  expect(fields).not.toContain('owned');
});

test('of a text with parts of others, its own lines and colours stay', () => {
  expect(plainText('\u001b[1;31mred\u001b[0m\n\tnext')).toBe('\u001b[1;31mred\u001b[0m\n\tnext');
  expect(plainText('a\u001b[2Jb\u001b]8;;http://x\u0007c\u0008\rd\u009b1m')).toBe('abc\ufffd d');
});

test('numbers are written for people', () => {
  expect([0, 999, 1000, 1_234_567, 99_960, 34e9].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '1.2 MB',
    '100 kB',
    '34 GB',
  ]);
  expect([0.04, 9.96, 59.4, 61].map(formatSeconds)).toEqual(['0.0 s', '10.0 s', '59 s', '1 min 1 s']);
});

test('copied command lines survive a shell', () => {
  expect(shellWord('hello-1')).toBe('hello-1');
  expect(shellWord("it's", 'linux')).toBe(`'it'\\''s'`);
  expect(shellWord('C:\\My Shop', 'win32')).toBe('"C:\\My Shop"');
});
