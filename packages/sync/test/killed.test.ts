import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { applySync, isSyncError, planSync, undoSync } from '../src/index.ts';
import { readFiles, temporaryFolder, token, writeFiles } from './setup.ts';

const packageDirectory = fileURLToPath(new URL('..', import.meta.url));
const buildDirectory = join(packageDirectory, 'node_modules', '.test-build-killed');
const build = pathToFileURL(buildDirectory).href;
const victim = fileURLToPath(new URL('fixtures/victim.mjs', import.meta.url));

beforeAll(async () => {
  const tsup = join(packageDirectory, '..', '..', 'node_modules', 'tsup', 'dist', 'cli-default.js');
  await promisify(execFile)(process.execPath, [tsup, '--out-dir', buildDirectory], { cwd: packageDirectory });
});

async function start(...args: string[]): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [victim, build, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [data] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: String(data).trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Every content that a side has: in its files, or kept. Also: what is kept is what its name says. */
async function contentsOf(root: string, state: string): Promise<ReadonlySet<string>> {
  const contents = new Set(await hashesOf(root));
  for (const name of await readdir(join(state, 'kept')).catch(() => [])) {
    if (name.startsWith('.')) continue;
    if (!checked.has(join(state, name))) expect(hashOf(await readFile(join(state, 'kept', name)))).toBe(name);
    checked.add(join(state, name));
    contents.add(name);
  }
  return contents;
}

const checked = new Set<string>();

const hashOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

async function hashesOf(root: string): Promise<string[]> {
  return Object.values(await readFiles(root)).map(hashOf);
}

async function world() {
  const folder = await temporaryFolder();
  const [local, remote, state, theirs] = ['local', 'remote', 'state', 'theirs'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  const fill = async (root: string, name: string, round: number): Promise<void> => {
    const files: Record<string, string> = {};
    for (let index = 0; index < 30; index += 1) {
      files[`content/folder-${index % 7}/${name}-${index}.md`] = `${name} ${index} ${round} `.repeat(200);
    }
    files[`content/large-${name}.bin`] = `${name} ${round} `.repeat(180_000);
    files['content/conflict.md'] = `${name} ${round}`;
    await writeFiles(root, files);
  };
  return { local, remote, state, theirs, fill };
}

test('a sync that is killed at any moment loses nothing, and the next one finishes', async () => {
  const { local, remote, state, theirs, fill } = await world();
  const { said } = await start('tenant', remote, theirs);
  const url = `http://127.0.0.1:${said}`;
  const options = { root: local, stateDirectory: state, remote: { url, token } };
  let killed = 0;
  for (let round = 0; round < 12; round += 1) {
    await fill(local, 'ours', round);
    await fill(remote, 'theirs', round);
    const before = { local: await hashesOf(local), remote: await hashesOf(remote) };
    const { child } = await start(round % 4 === 3 ? 'undo' : 'sync', local, state, url);
    // Spread over what it takes.
    await delay(round * 12);
    killed += child.exitCode === null ? 1 : 0;
    await kill(child);
    const plan = await planSync({ ...options, delete: true, resolve: 'keep-both' });
    await applySync(plan, options);
    expect(await readFiles(remote)).toEqual(await readFiles(local));
    const after = { local: await contentsOf(local, state), remote: await contentsOf(remote, theirs) };
    expect(before.local.filter((hash) => !after.local.has(hash))).toEqual([]);
    expect(before.remote.filter((hash) => !after.remote.has(hash))).toEqual([]);
  }
  expect(killed).toBeGreaterThan(3);
  const names = await readdir(local, { recursive: true });
  expect(names.filter((name) => name.includes('.sp-sync-'))).toEqual([]);
});

test('a tenant that is killed at any moment loses nothing, and the next sync finishes', {
  timeout: 180_000,
}, async () => {
  const { local, remote, state, theirs, fill } = await world();
  let killed = 0;
  for (let round = 0; round < 10; round += 1) {
    await fill(local, 'ours', round);
    await fill(remote, 'theirs', round);
    const before = { local: await hashesOf(local), remote: await hashesOf(remote) };
    const tenant = await start('tenant', remote, theirs);
    const options = {
      root: local,
      stateDirectory: state,
      remote: { url: `http://127.0.0.1:${tenant.said}`, token, retries: 0 },
    };
    const plan = await planSync({ ...options, delete: true, resolve: 'keep-both' });
    const applying = (round % 4 === 3 ? undoSync(options) : applySync(plan, options)).catch((error: unknown) => error);
    await delay(round * 7);
    await kill(tenant.child);
    const result = await applying;
    if (isSyncError(result)) {
      killed += 1;
      expect(result.code).toMatch(/^SP_SYNC_(?:NETWORK|DAMAGED|NOTHING_TO_UNDO)$/);
    }
    const again = await start('tenant', remote, theirs);
    const next = { ...options, remote: { ...options.remote, url: `http://127.0.0.1:${again.said}` } };
    await applySync(await planSync({ ...next, delete: true, resolve: 'keep-both' }), next);
    expect(await readFiles(remote)).toEqual(await readFiles(local));
    await kill(again.child);
    const after = { local: await contentsOf(local, state), remote: await contentsOf(remote, theirs) };
    expect(before.local.filter((hash) => !after.local.has(hash))).toEqual([]);
    expect(before.remote.filter((hash) => !after.remote.has(hash))).toEqual([]);
  }
  expect(killed).toBeGreaterThan(2);
  const names = await readdir(remote, { recursive: true });
  expect(names.filter((name) => name.includes('.sp-sync-'))).toEqual([]);
});

test('killed at any moment of forgetting what is old: what can be undone is undone whole', {
  timeout: 180_000,
}, async () => {
  const { local, remote, state, theirs, fill } = await world();
  const { said } = await start('tenant', remote, theirs, 'prune');
  const options = {
    root: local,
    stateDirectory: state,
    remote: { url: `http://127.0.0.1:${said}`, token, retries: 0 },
  };
  let forgotten = 0;
  for (let round = 0; round < 6; round += 1) {
    // Much to forget, of three syncs.
    for (const part of [0, 1, 2]) {
      await fill(remote, 'theirs', round * 3 + part);
      await applySync(await planSync(options), options);
    }
    await fill(remote, 'theirs', round * 3 + 100);
    const before = await readFiles(local);
    const records = await readdir(join(state, 'operations'));
    const { child } = await start('prune', local, state, options.remote.url);
    // As soon as the first record is gone, or a little later.
    while (child.exitCode === null && (await readdir(join(state, 'operations'))).includes(records[0] ?? ''))
      await delay(1);
    await delay(round % 3);
    await kill(child);
    forgotten += (await readdir(join(state, 'operations'))).includes(records[0] ?? '') ? 0 : 1;
    // The sync itself was done by then.
    const undone = await undoSync(options);
    expect(undone.left).toEqual([]);
    expect(await readFiles(local)).toEqual(before);
    await undoSync({ ...options, id: undone.id });
  }
  expect(forgotten).toBeGreaterThan(3);
});
