import { readdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makeResultSchemas } from '../build/result-schemas.ts';
import { loadSchema, schemaProblems } from './support/check-schema.ts';

const folder = fileURLToPath(new URL('../schemas', import.meta.url));

test('the shipped schemas are those of the types: a change needs a changeset, then UPDATE_SNAPSHOT=1', async () => {
  const schemas = makeResultSchemas();
  if (process.env['UPDATE_SNAPSHOT'] === '1') {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    for (const [name, schema] of Object.entries(schemas)) {
      await writeFile(`${folder}/${name}.json`, `${JSON.stringify(schema, undefined, 2)}\n`);
    }
  }
  expect(readdirSync(folder).toSorted()).toEqual(
    Object.keys(schemas)
      .map((name) => `${name}.json`)
      .toSorted(),
  );
  for (const [name, schema] of Object.entries(schemas)) expect(loadSchema(name), name).toEqual(schema);
});

test('a schema refuses what is not so', () => {
  const list = loadSchema('cloud-tenant-list');
  const item = { id: 'a', name: 'b', tenant_type: 'cloud', has_database: true };
  expect(schemaProblems(list, { tenants: [item], total: 1, stale: false })).toEqual([]);
  expect(schemaProblems(list, { tenants: [item], stale: false })).toEqual(['$.total: missing']);
  expect(schemaProblems(list, { tenants: [{ ...item, tenant_type: 'big' }], total: 1, stale: false })).toHaveLength(1);
  expect(schemaProblems(list, { tenants: [{ ...item, secret: 'x' }], total: 1, stale: false })).toEqual([
    '$.tenants[0].secret: not in the schema',
  ]);
});
