import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runBinary } from './support/run-binary.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const status = ['cloud', 'local', 'status', '--json'];

/** The code caches below a home folder. */
async function caches(home: string): Promise<string[]> {
  const root = join(home, '.cache/systemprompt/code');
  const files = await readdir(root, { recursive: true }).catch(() => []);
  return files.filter((file) => file.endsWith('.bin')).map((file) => join(root, file));
}

test('--version and help are answered at once, and leave nothing behind', async () => {
  const cwd = await temporaryFolder();
  const version = await runBinary(['--version'], { cwd });
  expect(version).toMatchObject({ exitCode: 0, stderr: '' });
  expect(version.stdout).toMatch(/^@sp\/cli\/\d+\.\d+\.\d+ \S+ node-v\S+\n$/);
  expect((await runBinary(['-v'], { cwd })).stdout).toBe(version.stdout);
  const help = await runBinary(['cloud', 'tenant', '--help'], { cwd });
  expect(help.stdout).toContain('cloud tenant rotate-credentials');
  expect(await readdir(cwd)).toEqual([]);
});

test('prepared help is what oclif itself says', async () => {
  const cwd = await temporaryFolder();
  for (const words of [['cloud'], ['cloud', 'deploy'], ['cloud', 'secrets', 'set']]) {
    const prepared = await runBinary([...words, '--help'], { cwd });
    const ordinary = await runBinary([...words, '--help'], { cwd, env: { OCLIF_COLUMNS: '80' } });
    expect(prepared.stdout).toBe(ordinary.stdout);
  }
});

test('the code cache is private, used again, and never needed', async () => {
  const cwd = await temporaryFolder();
  const first = await runBinary(status, { cwd });
  const [path = '', ...others] = await caches(cwd);
  expect(others).toEqual([]);
  const made = await stat(path);
  expect(made.mode & 0o777).toBe(0o600);
  expect((await runBinary(status, { cwd })).stdout).toBe(first.stdout);
  expect((await stat(path)).mtimeMs).toBe(made.mtimeMs);

  await writeFile(path, 'not what V8 wrote');
  expect((await runBinary(status, { cwd })).stdout).toBe(first.stdout);
  expect((await readFile(path)).length).toBeGreaterThan(1000);

  // What others could have written is not run.
  await chmod(path, 0o666);
  expect((await runBinary(status, { cwd })).exitCode).toBe(0);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('without a place for the cache, and in CI, commands run all the same', async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, '.cache'), 'in the way');
  expect((await runBinary(status, { cwd })).exitCode).toBe(0);
  const ci = await temporaryFolder();
  expect((await runBinary(status, { cwd: ci, env: { CI: '1' } })).exitCode).toBe(0);
  expect(await caches(ci)).toEqual([]);
});

test('what the entry does not know goes the ordinary way: did you mean, and wrong flags', async () => {
  const cwd = await temporaryFolder();
  const mistyped = await runBinary(['cloud', 'tenant', 'lst'], { cwd });
  expect(mistyped.exitCode).toBe(2);
  expect(mistyped.stderr).toContain('cloud tenant list');
  expect((await runBinary(['cloud', 'tenant', 'list', '--nope'], { cwd })).exitCode).toBe(2);
  const alias = await runBinary(['cloud', 'tenant', 'retry-provision', '--json'], { cwd });
  expect(alias.exitCode).toBe(5);
});
