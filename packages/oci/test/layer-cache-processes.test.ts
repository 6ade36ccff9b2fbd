import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'tsup';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type BuiltLayer, buildLayer, createBlobStore, createLayerCache } from '../src/index.ts';
import { type Folder, noise, temporaryFolder } from './setup.ts';

const fixture = fileURLToPath(new URL('fixtures/build-layers.mjs', import.meta.url));
let library: Folder;

beforeAll(async () => {
  library = await temporaryFolder();
  await build({
    config: false,
    entry: { index: fileURLToPath(new URL('../src/index.ts', import.meta.url)) },
    outDir: library.path,
    outExtension: () => ({ js: '.mjs' }),
    format: 'esm',
    target: 'node20.19',
    silent: true,
  });
});
afterAll(() => library[Symbol.asyncDispose]());

interface Work {
  readonly cache: string;
  readonly files: readonly string[];
  readonly maxBytes?: number;
  readonly rounds?: number;
}

function argumentsOf({ cache, files, maxBytes = 1e9, rounds = 1 }: Work): string[] {
  const entry = pathToFileURL(join(library.path, 'index.mjs')).href;
  return [fixture, entry, cache, String(maxBytes), String(rounds), ...files];
}

/** The layers that a process of its own makes. */
async function layersOf(work: Work): Promise<BuiltLayer[]> {
  const { stdout } = await promisify(execFile)(process.execPath, argumentsOf(work));
  return JSON.parse(stdout) as BuiltLayer[];
}

/** A process that is stopped in the middle of writing a layer; `kill` ends it there. */
async function stoppedInTheMiddle(work: Work): Promise<{ kill(): Promise<void> }> {
  for (;;) {
    const before = await temporaries(work.cache);
    const isWriting = async (): Promise<boolean> =>
      (await temporaries(work.cache)).some((name) => !before.includes(name));
    const child = spawn(process.execPath, argumentsOf(work), { stdio: ['ignore', 'ignore', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    while (child.exitCode === null && !(await isWriting())) await setTimeout(1);
    child.kill('SIGSTOP');
    const kill = async (): Promise<void> => {
      child.kill('SIGKILL');
      await ended;
    };
    // Given to it only when it comes to a stop, perhaps after the file had got its name.
    await setTimeout(20);
    if (await isWriting()) return { kill };
    await kill();
    await rm(work.cache, { recursive: true, force: true });
  }
}

/** What is written and has no name yet. */
async function temporaries(cache: string): Promise<string[]> {
  const names = await readdir(cache, { recursive: true }).catch(() => []);
  return names.filter((name) => /(?:^|\/)\.[^/]+$/.test(name));
}

/** Every blob, after its content was found to be what its name says, and every layer that is known, with its blob. */
async function contentOf(cache: string) {
  const blobs = new Map<string, number>();
  for (const name of await readdir(join(cache, 'blobs', 'sha256'))) {
    const content = await readFile(join(cache, 'blobs', 'sha256', name));
    expect(createHash('sha256').update(content).digest('hex')).toBe(name);
    blobs.set(`sha256:${name}`, content.byteLength);
  }
  const layers = (await readdir(join(cache, 'layers'))).filter((name) => name.endsWith('.json'));
  for (const name of layers) {
    const { digest, size } = JSON.parse(await readFile(join(cache, 'layers', name), 'utf8')) as Record<string, unknown>;
    expect(blobs.get(String(digest))).toBe(size);
  }
  return { blobs, layers };
}

/** As if nobody had been here for hours. */
async function age(cache: string): Promise<void> {
  const before = new Date(Date.now() - 2 * 3_600_000);
  for (const name of await readdir(cache, { recursive: true })) {
    const path = join(cache, name);
    if ((await stat(path)).isFile()) await utimes(path, before, before);
  }
}

async function restedFiles(folder: string, sizes: readonly number[]): Promise<string[]> {
  const files = sizes.map((_, index) => join(folder, `source-${index}`));
  for (const [index, path] of files.entries()) await writeFile(path, noise(sizes[index] ?? 0, index + 1));
  await setTimeout(1100);
  return files;
}

test('processes that build the same at once agree, with one killed in the middle, and clear up after it', async () => {
  await using folder = await temporaryFolder();
  const cache = join(folder.path, 'cache');
  const files = await restedFiles(folder.path, [12_000_000, 300_000, 300_000]);
  const store = createBlobStore(join(folder.path, 'expected'));
  const expected: BuiltLayer[] = [];
  for (const source of files) {
    expected.push(await buildLayer([{ type: 'file', path: 'app/file', source }], { blobs: store }));
  }

  for (let round = 0; round < 2; round += 1) {
    const victim = await stoppedInTheMiddle({ cache, files });
    // Not all in the same order, and each knows again what it has built.
    const orders = [files, files.toReversed(), [...files.slice(1), ...files.slice(0, 1)], files];
    const works = orders.map((order) => layersOf({ cache, files: order, rounds: 2 }));
    await victim.kill();
    for (const [index, layers] of (await Promise.all(works)).entries()) {
      const wanted = (orders[index] ?? []).map((file) => expected[files.indexOf(file)]);
      expect(layers).toEqual([...wanted, ...wanted]);
    }
    const { blobs, layers } = await contentOf(cache);
    expect([blobs.size, layers.length]).toEqual([3, 3]);
    // Of all who were killed only the last one left something: the others' is cleared when it is old.
    expect(await temporaries(cache)).toHaveLength(1);
    // Gone but for what was left and what is known, so that the next round builds again.
    await rm(join(cache, 'blobs', 'sha256'), { recursive: true });
    await age(cache);
  }
  await writeFile(join(cache, 'layers', '.killed-while-it-saved.tmp'), 'x');
  await age(cache);
  await layersOf({ cache, files });
  expect(await temporaries(cache)).toEqual([]);
});

test('processes that make room at once keep the limit, and what each of them uses', async () => {
  await using folder = await temporaryFolder();
  const cache = join(folder.path, 'cache');
  const files = await restedFiles(
    folder.path,
    Array.from({ length: 12 }, () => 200_000),
  );
  const maxBytes = 1_100_000;
  await layersOf({ cache, files: files.slice(0, 8) });
  await age(cache);
  // Two of the old ones are used again, by processes that build others at the same time.
  const used = await Promise.all(
    [0, 1, 2, 3].map((index) =>
      layersOf({ cache, maxBytes, rounds: 3, files: [files[index % 2] ?? '', files[8 + index] ?? ''] }),
    ),
  );
  const { blobs } = await contentOf(cache);
  const total = Array.from(blobs.values()).reduce((sum, size) => sum + size, 0);
  const kept = new Set(used.flat().map(({ descriptor }) => descriptor.digest));
  expect(Array.from(kept).filter((digest) => !blobs.has(digest))).toEqual([]);
  // Six of the last hour stay, which is more than the limit; nothing else does.
  expect([kept.size, blobs.size]).toEqual([6, 6]);
  await age(cache);
  const one = createLayerCache({ directory: cache, maxBytes });
  await rm(join(cache, 'layers'), { recursive: true });
  await buildLayer([{ type: 'file', path: 'app/file', source: files[0] ?? '' }], { blobs: one.blobs, cache: one });
  const after = await contentOf(cache);
  expect(Array.from(after.blobs.values()).reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(maxBytes);
  expect(total).toBeGreaterThan(maxBytes);
});
