import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readersNames, readmeProgram } from './support/readme-program.ts';

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly engines: unknown;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const compiler = join(root, 'node_modules/typescript/bin/tsc');
const names = (await readdir(join(root, 'packages'))).map((folder) => `@sp/${folder}`);

let place: string;
/** A project of somebody who has nothing but the tarballs. */
let consumer: string;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'sp publish '));
  consumer = join(place, 'consumer');
  const tarballs = join(place, 'tarballs');
  await mkdir(tarballs);
  await mkdir(consumer);
  await execa('pnpm', ['-r', '--filter', './packages/*', 'pack', '--pack-destination', tarballs], { cwd: root });
  const files = await readdir(tarballs);
  const dependencies = Object.fromEntries(
    names.map((name) => {
      const file = files.find((candidate) => new RegExp(`^sp-${name.slice(4)}-\\d`).test(candidate));
      return [name, `file:${join(tarballs, file ?? 'missing')}`];
    }),
  );
  // The packages ask for each other by version, and no registry has them.
  const overrides = Object.fromEntries(names.map((name) => [name, `$${name}`]));
  const manifest = { name: 'consumer', private: true, type: 'module', dependencies, overrides };
  await writeFile(join(consumer, 'package.json'), JSON.stringify(manifest));
  await execa('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: consumer });
});

afterAll(() => rm(place, { recursive: true, force: true, maxRetries: 5 }));

async function manifestOf(name: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(consumer, 'node_modules', name, 'package.json'), 'utf8')) as Manifest;
}

/** Every specifier that the packages export for programs. */
async function entries(): Promise<readonly { readonly name: string; readonly specifier: string }[]> {
  const manifests = await Promise.all(names.map(manifestOf));
  return manifests.flatMap(({ name, exports }) =>
    Object.keys(exports)
      .filter((path) => !path.endsWith('.json'))
      .map((path) => ({ name, specifier: name + path.slice(1) })),
  );
}

/** Compiles files in the consumer, checking every declaration that they reach. */
async function compile(files: Readonly<Record<string, string>>, options: object = {}): Promise<string> {
  const folder = await mkdtemp(join(consumer, 'program-'));
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    module: 'nodenext',
    target: 'esnext',
    lib: ['esnext'],
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    ...options,
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  const { all } = await execa(process.execPath, [compiler, '--project', folder, '--pretty', 'false'], {
    all: true,
    reject: false,
  });
  return all.trim();
}

test.each(names)('%s ships what a user needs, and nothing else', async (name) => {
  const shipped = await readdir(join(consumer, 'node_modules', name));
  expect(shipped.sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
  const manifest = await manifestOf(name);
  expect(JSON.stringify([manifest.exports, manifest.dependencies])).not.toMatch(/workspace:|catalog:|\/src\//);
  expect(Object.keys(manifest.scripts ?? {}).filter((script) => /install|prepare/.test(script))).toEqual([]);
});

test('installing all libraries runs no script of anybody', async () => {
  const lock = JSON.parse(await readFile(join(consumer, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>;
  };
  expect(Object.keys(lock.packages).length).toBeGreaterThan(names.length);
  const scripts = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(scripts.map(([path]) => path)).toEqual([]);
});

test('every entry can be imported, and exports something', async () => {
  const specifiers = (await entries()).map(({ specifier }) => specifier);
  expect(specifiers).toEqual(expect.arrayContaining(['@sp/credentials/login', ...names]));
  const program = `
    for (const specifier of ${JSON.stringify(specifiers)})
      if (Object.keys(await import(specifier)).length === 0) throw new Error(specifier + ' is empty');
  `;
  await execa(process.execPath, ['--input-type=module', '--eval', program], { cwd: consumer });
});

test('the declarations of every entry compile, checked themselves', async () => {
  const uses = (await entries()).map(
    ({ specifier }, index) =>
      `import * as entry${index} from '${specifier}';\nexport const use${index} = entry${index};`,
  );
  expect(await compile({ 'all.ts': uses.join('\n') })).toBe('');
});

test('the client compiles where there is no Node', async () => {
  const text = "import { createCloudApiClient } from '@sp/cloud-api';\nexport const api = createCloudApiClient({});";
  const browser = { types: [], lib: ['es2023', 'dom', 'dom.iterable'], module: 'esnext', moduleResolution: 'bundler' };
  expect(await compile({ 'browser.ts': text }, browser)).toBe('');
});

test('the examples of every README compile', async () => {
  const files: Record<string, string> = { 'readers-names.d.ts': readersNames };
  const all = await entries();
  for (const name of names) {
    const specifiers = all.filter((entry) => entry.name === name).map(({ specifier }) => specifier);
    const listing = `console.log(JSON.stringify(Object.keys(await import('${specifiers[0] ?? name}'))))`;
    const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', listing], { cwd: consumer });
    const readme = await readFile(join(consumer, 'node_modules', name, 'README.md'), 'utf8');
    const program = readmeProgram(readme, { name, exported: JSON.parse(stdout) as readonly string[] });
    expect(program).toContain(`from '${name}`);
    files[`${name.slice(4)}.ts`] = program;
  }
  expect(await compile(files)).toBe('');
});
