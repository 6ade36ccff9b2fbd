import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { applySync, isSyncError, planSync, type SyncOptions, undoSync } from '../src/index.ts';
import { createSyncHandler } from '../src/server.ts';
import { readFiles, tarballsOnly, token, writeFiles } from './setup.ts';

// Paths that are in each other's way: a file where a folder is, and another spelling.
const path = fc.constantFrom(
  'content/a',
  'content/b.md',
  'content/a/c',
  'content/A',
  'agents/x.sh',
  'config/deep/er/y',
);
const side = fc.constantFrom('local' as const, 'remote' as const);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('edit' as const), side, path }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('remove' as const), side, path }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('sync' as const),
      direction: fc.constantFrom('up' as const, 'down' as const, 'both' as const),
      resolve: fc.constantFrom('ours' as const, 'theirs' as const, 'keep-both' as const, 'leave' as const),
      delete: fc.boolean(),
      // The request that never arrives, or whose answer never does.
      cut: fc.option(fc.record({ request: fc.nat(3), answer: fc.boolean() }), { freq: 3 }),
      // Somebody edits between the plan and its application.
      meanwhile: fc.option(fc.record({ side, path }), { freq: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('undo' as const), cut: fc.boolean() }) },
);

interface World extends AsyncDisposable {
  readonly local: string;
  readonly remote: string;
  readonly options: SyncOptions;
  /** Cuts the connection at a request; `undefined` mends it. */
  cut(at: { readonly request: number; readonly answer: boolean } | undefined): void;
  /** Contents that a side has: in its files, or kept. */
  has(side: 'local' | 'remote'): Promise<ReadonlySet<string>>;
}

async function world(kind: 'manifest' | 'tarball'): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'sp-never-'));
  const [local, remote, state] = [join(folder, 'local'), join(folder, 'remote'), join(folder, 'state')];
  await mkdir(local);
  await mkdir(remote);
  const handler = createSyncHandler({ root: remote, token });
  const wrapped = kind === 'tarball' ? tarballsOnly(handler) : handler;
  let cut: { readonly request: number; readonly answer: boolean } | undefined;
  let count = 0;
  const send: typeof fetch = async (input, init) => {
    const isCut = cut !== undefined && count === cut.request;
    count += 1;
    if (isCut && cut?.answer === false) throw new TypeError('fetch failed');
    const response = await wrapped(new Request(input, init));
    if (isCut) throw new TypeError('fetch failed');
    return response;
  };
  const kept = { local: join(state, 'kept'), remote: join(remote, '.systemprompt', 'sync', 'kept') };
  return {
    local,
    remote,
    options: {
      root: local,
      stateDirectory: state,
      remote: { url: 'http://tenant.test', token, fetch: send, retries: 0 },
      ignore: [],
    },
    cut(at) {
      cut = at;
      count = 0;
    },
    async has(which) {
      const files = Object.values(await readFiles(which === 'local' ? local : remote));
      const hashes = files.map((text) => createHash('sha256').update(text).digest('hex'));
      return new Set([...hashes, ...(await readdir(kept[which]).catch(() => []))]);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function edit(root: string, file: string, text: string | null): Promise<void> {
  // A folder is in the way, or a file is: then it is no edit.
  await writeFiles(root, { [file]: text }).catch(() => {});
}

/** Runs one step; what it may fail with is a named error, and nothing else. */
async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isSyncError(error)) return undefined;
    throw error;
  }
}

test.each([
  ['manifest', 100],
  ['tarball', 40],
] as const)(
  'no sequence of edits, syncs, cuts and undos loses anything (%s)',
  { timeout: 180_000 },
  async (kind, runs) => {
    let serial = 0;
    let synced = 0;
    let undone = 0;
    const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      await using all = await world(kind);
      const { local, remote, options } = all;
      const root = { local, remote };
      for (const one of steps) {
        if (one.type === 'edit' || one.type === 'remove') {
          serial += 1;
          await edit(root[one.side], one.path, one.type === 'edit' ? `content ${serial}` : null);
          continue;
        }
        const before = { local: await all.has('local'), remote: await all.has('remote') };
        const files = { local: await readFiles(local), remote: await readFiles(remote) };
        let edited = false;
        if (one.type === 'sync') {
          const { direction, resolve, cut, meanwhile } = one;
          all.cut(cut ?? undefined);
          const plan = await attempt(() => planSync({ ...options, direction, resolve, delete: one.delete }));
          expect({ local: await readFiles(local), remote: await readFiles(remote) }).toEqual(files);
          if (meanwhile !== null && plan !== undefined) {
            serial += 1;
            edited = true;
            await edit(root[meanwhile.side], meanwhile.path, `content ${serial}`);
          }
          const now = { local: await all.has('local'), remote: await all.has('remote') };
          if (plan !== undefined && (await attempt(() => applySync(plan, options))) !== undefined) synced += 1;
          all.cut(undefined);
          // What somebody wrote in between is as dear as what was there before.
          for (const which of ['local', 'remote'] as const)
            expect(await all.has(which)).toSatisfy(includesAll(now[which]));
          if (!one.delete && !edited) {
            expect(Object.keys(await readFiles(local)).map(bare)).toEqual(
              expect.arrayContaining(Object.keys(files.local).map(bare)),
            );
            expect(Object.keys(await readFiles(remote)).map(bare)).toEqual(
              expect.arrayContaining(Object.keys(files.remote).map(bare)),
            );
          }
          if (direction === 'up') expect(await readFiles(local)).toEqual(edited ? expect.anything() : files.local);
          if (direction === 'down') expect(await readFiles(remote)).toEqual(edited ? expect.anything() : files.remote);
        } else {
          all.cut(one.cut ? { request: 0, answer: true } : undefined);
          if ((await attempt(() => undoSync(options))) !== undefined) undone += 1;
          all.cut(undefined);
        }
        if (edited) continue;
        const after = { local: await all.has('local'), remote: await all.has('remote') };
        // Each side by itself: what it had is in its files or kept. A tenant with tarballs only keeps nothing: it is here.
        expect(after.local).toSatisfy(includesAll(before.local));
        const theirs = kind === 'manifest' ? after.remote : new Set([...after.remote, ...after.local]);
        expect(theirs).toSatisfy(includesAll(before.remote));
      }
      if (kind === 'tarball') return;
      // In the end both sides can always be made the same.
      for (let round = 0; round < 2; round += 1) {
        await applySync(await planSync({ ...options, resolve: 'ours', delete: true }), options);
      }
      const blocked = (await planSync({ ...options, delete: true })).left;
      if (blocked.length === 0) expect(await readFiles(remote)).toEqual(await readFiles(local));
    });
    await fc.assert(property, { numRuns: runs, seed: 7 });
    expect([synced > runs / 3, undone > 2]).toEqual([true, true]);
  },
);

function includesAll(some: ReadonlySet<string>) {
  return (all: ReadonlySet<string>): boolean => Array.from(some).every((hash) => all.has(hash));
}

function bare(name: string): string {
  return name.replace(/\*$/, '');
}
