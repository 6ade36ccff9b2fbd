import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isDeployError, parseDotenv } from '../src/index.ts';
import { temporaryFolder } from './fixture-project.ts';

test.each([
  ['plain', 'A=1\nB=two words\n', { A: '1', B: 'two words' }],
  ['no line break at the end', 'A=1', { A: '1' }],
  ['nothing', '', {}],
  ['blank lines and comments', '\n  \n# A=0\n\t# B=0\nA=1\n\n', { A: '1' }],
  ['export, blanks', 'export A=1\n  export\tB = 2 \nC =3', { A: '1', B: '2', C: '3' }],
  ['a name that begins with export', 'exported=1\nexport_=2', { exported: '1', export_: '2' }],
  ['empty values', 'A=\nB=""\nC=\'\'\nD= # none\nE=   ', { A: '', B: '', C: '', D: '', E: '' }],
  [
    'comments after values',
    'A=1 # one\nB="2" # two\nC=\'3\'# three\nD=x#y\nE=#1',
    {
      A: '1',
      B: '2',
      C: '3',
      D: 'x#y',
      E: '#1',
    },
  ],
  ['# in quotes', 'A="a # b"\nB=\'a # b\'', { A: 'a # b', B: 'a # b' }],
  ['equals signs', 'A=postgres://u:p@h/d?x=1&y=2\nB==', { A: 'postgres://u:p@h/d?x=1&y=2', B: '=' }],
  [
    'quotes inside',
    `A=it's\nB=say "hi"\nC="it's"\nD='say "hi"'\nE=\`"'\``,
    {
      A: "it's",
      B: 'say "hi"',
      C: "it's",
      D: 'say "hi"',
      E: `"'`,
    },
  ],
  [
    'escapes',
    'A="a\\nb\\t\\"c\\" \\\\ \\$x \\q"\nB=\'a\\nb\'\nC=a\\nb',
    {
      A: 'a\nb\t"c" \\ $x \\q',
      B: 'a\\nb',
      C: 'a\\nb',
    },
  ],
  [
    'several lines',
    'A="-----BEGIN\nKEY=x\n\n-----END"\nB=\'1\n2\'\nC=3',
    {
      A: '-----BEGIN\nKEY=x\n\n-----END',
      B: '1\n2',
      C: '3',
    },
  ],
  ['CRLF, CR and a byte order mark', '\uFEFFA=1\r\nB="x\r\ny"\rC=3\r\n', { A: '1', B: 'x\ny', C: '3' }],
  ['unicode', 'A=ä€🦭\nB="日本\u00A0語"', { A: 'ä€🦭', B: '日本\u00A0語' }],
  ['nothing is expanded', 'A=$HOME/${B}/$(id)', { A: '$HOME/${B}/$(id)' }],
  ['the last counts', 'A=1\nA=2', { A: '2' }],
])('%s', (_, text, expected) => {
  expect(parseDotenv(text)).toEqual(expected);
});

test('all that is wrong is told at once, by line and without a value', () => {
  const text = [
    'GOOD=planted-good',
    'no assignment planted-a',
    'MULTI="1',
    '2"',
    '1NAME=planted-b',
    'A-B=planted-c',
    'FLY_APP_NAME=planted-d',
    'fly_machine_id=planted-e',
    'TAIL="x" planted-f',
    'NUL=\0',
    'export ONLY',
    "OPEN='planted-g",
    'SWALLOWED=planted-h',
  ].join('\r\n');
  let error: unknown;
  try {
    parseDotenv(text);
  } catch (reason) {
    error = reason;
  }
  expect(error).toMatchObject({
    code: 'SP_DEPLOY_DOTENV_INVALID',
    findings: [
      { line: 2, problem: 'not NAME=value' },
      { line: 5, problem: 'not NAME=value' },
      { line: 6, problem: 'not NAME=value' },
      { line: 7, problem: 'FLY_APP_NAME is set by the platform' },
      { line: 8, problem: 'fly_machine_id is set by the platform' },
      { line: 9, problem: 'something follows the closing quote of TAIL' },
      { line: 10, problem: 'NUL has a NUL' },
      { line: 11, problem: 'not NAME=value' },
      { line: 12, problem: 'the quote of OPEN is not closed' },
    ],
  });
  expect(inspect(error, { depth: 9 })).not.toContain('planted');
});

test('names are members of their own, whatever they are called', () => {
  const values = parseDotenv('__proto__=1\nconstructor=2\ntoString=3');
  expect(Object.entries(values)).toEqual([
    ['__proto__', '1'],
    ['constructor', '2'],
    ['toString', '3'],
  ]);
  expect(({} as Record<string, unknown>)['1']).toBeUndefined();
});

const name = fc
  .stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/)
  .filter((text) => !/^fly_(app_name|machine_id)$/i.test(text));
// Line ends are read as \n, and no environment has a NUL.
const value = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.string({ unit: fc.constantFrom(...`"'\`\\$#= \n\tnrab`.split('')) }),
  )
  .map((text) => text.replace(/\r\n?|\0/g, '\n'));
const blank = fc.constantFrom('', ' ', '\t ');
const newline = fc.constantFrom('\n', '\r\n', '\r');

/** Some way to write a value down. */
const written = (text: string): fc.Arbitrary<string> => {
  const ways = [`"${text.replace(/[\\"]/g, '\\$&')}"`, `"${text.replace(/[\\"$]/g, '\\$&').replaceAll('\n', '\\n')}"`];
  if (!text.includes("'")) ways.push(`'${text}'`);
  if (!text.includes('`')) ways.push(`\`${text}\``);
  if (/^[\w./:@-]+$/.test(text)) ways.push(text);
  return fc.constantFrom(...ways);
};

test('what is written down in any of the ways is read back', () => {
  const entry = fc
    .record({ name, value, before: blank, around: blank, exported: fc.boolean(), comment: fc.boolean(), end: newline })
    .chain((facts) => written(facts.value).map((text) => ({ ...facts, text })));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
      const text = entries
        .map(
          ({ name, text, before, around, exported, comment, end }) =>
            `${before}${exported ? 'export ' : ''}${name}${around}=${around}${text}${comment ? ' # it\'s "here"' : ''}${end}`,
        )
        .join('');
      expect(parseDotenv(text)).toEqual(Object.fromEntries(entries.map(({ name, value }) => [name, value])));
    }),
    { numRuns: 500 },
  );
});

test('any text is read or refused, never anything else', () => {
  const nasty = fc.array(
    fc.oneof(
      fc.constantFrom('A=', 'export ', '"', "'", '`', '\\', '#', '\n', '\r', '\0', '\uFEFF', '=', ' '),
      fc.string(),
    ),
  );
  fc.assert(
    fc.property(nasty, (parts) => {
      try {
        for (const text of Object.values(parseDotenv(parts.join('')))) expect(text).toBeTypeOf('string');
      } catch (error) {
        expect(isDeployError(error)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test('a shell reads the plain ways alike', async () => {
  const folder = await temporaryFolder();
  const text = `A='one # two'\nexport B="two\\\\three \\"x\\" \\$y"\nC=a#b\nD='l1\nl2'\nE=plain # comment\n`;
  writeFileSync(join(folder, 'env.sh'), text);
  const output = execFileSync('sh', ['-c', 'set -a; . ./env.sh; exec env -0'], { cwd: folder, encoding: 'utf8' });
  const variables = new Map(
    output
      .split('\0')
      .filter((line) => line.charAt(1) === '=')
      .map((line) => [line.charAt(0), line.slice(2)]),
  );
  for (const [name, value] of Object.entries(parseDotenv(text))) expect(variables.get(name)).toBe(value);
});
