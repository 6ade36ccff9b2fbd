import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const manifest = (folder: string): Manifest => JSON.parse(read(`${folder}/package.json`)) as Manifest;

interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Which package may import which; the table in the README is the same. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  'packages/paths': [],
  'packages/private-file': [],
  'packages/loopback': [],
  'packages/cloud-api': [],
  'packages/oci': [],
  'packages/credentials': ['loopback', 'private-file'],
  'packages/tenants': ['cloud-api', 'private-file'],
  'packages/checkout': ['cloud-api', 'loopback'],
  'packages/deploy': ['cloud-api', 'oci'],
  'packages/sync': [],
  'packages/database': [],
  'packages/local-postgres': ['database', 'private-file'],
  'apps/management-api': ['cloud-api', 'oci'],
};

const packages = readdirSync(new URL('packages', root)).map((name) => `packages/${name}`);

test.each(Object.entries(arrows))('%s imports only %j', (folder, allowed) => {
  const { dependencies = {}, optionalDependencies = {} } = manifest(folder);
  const own = Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => name.startsWith('@sp/'));
  expect(own.sort()).toEqual(allowed.map((name) => `@sp/${name}`).sort());
});

test('every library has its arrows listed', () => {
  expect(packages.filter((folder) => !(folder in arrows))).toEqual([]);
});

test.each(packages)('%s has the files and scripts of every library', (folder) => {
  const { name, description, scripts, engines } = manifest(folder);
  const files = [
    'README.md',
    'src/index.ts',
    'test',
    'tsconfig.json',
    'tsconfig.build.json',
    'tsup.config.ts',
    'vitest.config.ts',
  ];
  expect(files.filter((file) => !existsSync(new URL(`${folder}/${file}`, root)))).toEqual([]);
  expect(Object.keys(scripts)).toEqual(['build', 'typecheck', 'test', 'check:package']);
  expect(engines.node).toBe('>=20.19');
  // One sentence says what the package is, the same in all three places where people look.
  expect(read(`${folder}/README.md`)).toContain(`# ${name}\n\n${description}\n`);
  expect(read(`${folder}/src/index.ts`).split('\n')[0]).toContain(description);
});
