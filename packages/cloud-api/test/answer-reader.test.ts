import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as fc from 'fast-check';
import { build } from 'tsup';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { contractForClients } from '../contract-for-clients.ts';
import * as reading from '../src/answer-reader.ts';
import { contract } from '../src/contract.ts';

type Reader = Parameters<typeof reading.safeParse>[0];
type Endpoints = Readonly<Record<string, Readonly<Record<string, { readonly response?: unknown }>>>>;

const root = fileURLToPath(new URL('..', import.meta.url));
let folder: string;
/** The contract as clients have it. */
let lean: Endpoints;
beforeAll(async () => {
  folder = await mkdtemp(join(root, 'node_modules', '.answer-reader-'));
  const options = { outDir: folder, format: 'esm', config: false, silent: true, dts: false, target: 'node20' } as const;
  const entry = [join(root, 'src/contract/table.ts')];
  await build({ ...options, entry, noExternal: ['zod/mini'], esbuildPlugins: [contractForClients] });
  ({ contract: lean } = (await import(pathToFileURL(join(folder, 'table.js')).href)) as { contract: Endpoints });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Values that a schema takes, with now and then something else in them. */
function valuesOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const anything = fc.oneof(fc.constantFrom(undefined, null, Number.NaN, Infinity, -1.5, 2 ** 60), fc.jsonValue());
  return fc.oneof({ weight: 30, arbitrary: goodValuesOf(schema) }, { weight: 1, arbitrary: anything });
}

function goodValuesOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'object': {
      const members = Object.entries(def.shape).map(([name, member]) => [name, valuesOf(member)]);
      const extra = { noSuchMember: fc.option(fc.string(), { nil: undefined }) };
      return fc.record({ ...(Object.fromEntries(members) as Record<string, fc.Arbitrary<unknown>>), ...extra });
    }
    case 'array':
      return fc.array(valuesOf(def.element), { maxLength: 3 });
    case 'optional':
    case 'default':
      return fc.option(valuesOf(def.innerType), { nil: undefined });
    case 'string':
      return fc.oneof(fc.string(), fc.webUrl());
    case 'number':
      return fc.oneof(fc.integer(), fc.double());
    case 'boolean':
      return fc.boolean();
    default:
      throw new Error(`No values for ${def.type}`);
  }
}

/** Whether a number is whole and an address well written is the server's to check. */
function isLeftToServers(issue: z.core.$ZodIssue): boolean {
  return (
    issue.code === 'invalid_format' ||
    issue.code === 'too_big' ||
    issue.code === 'too_small' ||
    (issue.code === 'invalid_type' && issue.expected === 'int')
  );
}

const answers = Object.entries(contract).flatMap(([resource, endpoints]) =>
  Object.entries(endpoints as Endpoints[string]).flatMap(([verb, { response }]) =>
    response === undefined ? [] : [{ resource, verb, schema: response as z.ZodMiniType }],
  ),
);

test.each(answers)('$resource $verb is read as zod reads it', ({ resource, verb, schema }) => {
  const reader = lean[resource]?.[verb]?.response as Reader;
  fc.assert(
    fc.property(valuesOf(schema), (value) => {
      const expected = z.safeParse(schema, value);
      const read = reading.safeParse(reader, value);
      if (expected.success) {
        expect(read).toEqual({ success: true, data: expected.data });
        return;
      }
      const [issue] = expected.error.issues.filter((candidate) => !isLeftToServers(candidate));
      expect(read.success ? undefined : read.error.issues[0].path).toEqual(issue?.path);
    }),
    { numRuns: 100 },
  );
});

test('says where the first thing is that is not as it should be', () => {
  const { array, boolean, number, object, optional, safeParse, string, _default } = reading;
  const reader = object({ id: string(), items: array(object({ size: number(), good: _default(boolean(), true) })) });
  expect(safeParse(reader, { id: 'a', items: [{ size: 1, more: 2 }], other: 3 })).toEqual({
    success: true,
    data: { id: 'a', items: [{ size: 1, good: true }] },
  });
  expect(safeParse(reader, { id: 'a', items: [{ size: 1 }, { size: '2', good: 0 }] })).toEqual({
    success: false,
    error: { issues: [{ path: ['items', 1, 'size'] }] },
  });
  expect(safeParse(optional(reader), undefined)).toEqual({ success: true, data: undefined });
  expect(safeParse(reader, undefined)).toEqual({ success: false, error: { issues: [{ path: [] }] } });
});

test('a default is new for each answer', () => {
  const reader = lean['user']?.['get']?.response as Reader;
  const read = (): unknown => reading.safeParse(reader, { user: { id: 'u', email: 'e' } });
  const [one, other] = [read(), read()] as { data: { tenants: unknown[] } }[];
  one?.data.tenants.push('planted');
  expect(other?.data.tenants).toEqual([]);
});
