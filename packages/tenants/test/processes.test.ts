import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'tsup';
import { beforeAll, expect, test } from 'vitest';
import { loadProfile, loadTenants } from '../src/index.ts';
import { profileText } from './profile-text.ts';
import { temporaryFolder } from './temporary-folder.ts';

const run = promisify(execFile);
const packageDirectory = fileURLToPath(new URL('..', import.meta.url));
// A build of its own, so that a `pnpm run build` next door cannot empty `dist` under the children; inside the package,
// so that its dependencies resolve.
const buildDirectory = join(packageDirectory, 'node_modules', '.test-build');
const entry = pathToFileURL(join(buildDirectory, 'index.js')).href;
const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.mjs`, import.meta.url));

beforeAll(async () => {
  await build({
    entry: [join(packageDirectory, 'src/index.ts')],
    outDir: buildDirectory,
    format: 'esm',
    target: 'node20.19',
    config: false,
    silent: true,
    // Its sources too, since nobody need have built it.
    noExternal: ['@sp/private-file'],
    external: ['@sp/cloud-api'],
    esbuildOptions(options) {
      options.conditions = ['@sp/source'];
      options.banner = {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url), __filename = import.meta.filename;",
      };
    },
  });
});

test('200 processes that each add a tenant end with 200', { timeout: 300_000 }, async () => {
  const path = join(await temporaryFolder(), '.systemprompt', 'tenants.json');
  const numbers = Array.from({ length: 200 }, (_, number) => number);
  await Promise.all(
    numbers.map((number) => run(process.execPath, [fixture('add-tenant'), entry, path, String(number)])),
  );
  const names = (await loadTenants(path))?.tenants.map(({ name }) => name);
  expect(names?.sort()).toEqual(numbers.map((number) => `tenant ${number}`).sort());
  expect((await readdir(dirname(path))).sort()).toEqual(['.gitignore', 'tenants.json']);
});

/** Runs the saving process and kills it in the middle of something. */
async function killWhileSaving(what: 'tenants' | 'profile', path: string, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [fixture('save-forever'), entry, what, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  expect(child.exitCode).toBeNull();
  child.kill('SIGKILL');
  await once(child, 'exit');
}

test('a process killed in the middle of saving tenants leaves the old ones or the new', {
  timeout: 180_000,
}, async () => {
  const path = join(await temporaryFolder(), 'tenants.json');
  for (let round = 0; round < 12; round += 1) {
    await killWhileSaving('tenants', path, round * 3);
    const tenants = (await loadTenants(path))?.tenants ?? [];
    expect([tenants.length, new Set(tenants.map(({ name }) => name)).size]).toEqual([200, 1]);
    // What the dead left behind is taken over after some seconds; this is quicker.
    await rm(`${path}.lock`, { recursive: true, force: true });
  }
});

test('a process killed in the middle of editing a profile leaves the old one or the new', {
  timeout: 180_000,
}, async () => {
  const path = join(await temporaryFolder(), 'profile.yaml');
  await writeFile(path, profileText());
  for (let round = 0; round < 12; round += 1) {
    await killWhileSaving('profile', path, round * 3);
    const { server, rateLimits } = await loadProfile(path, { env: {} });
    expect([server.port !== 8080, rateLimits.contentPerSecond]).toEqual([true, 50]);
    await rm(`${path}.new`, { force: true });
  }
});
