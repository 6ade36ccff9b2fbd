import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { syncFiles, undoSync } from '../src/index.ts';
import { type Pair, pair, readFiles, writeFiles } from './setup.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const tenantState = ({ remote }: Pair): string => join(remote, '.systemprompt', 'sync');

/** Syncs `file` as `1`, `2`, … of the project to the tenant; `theirs` the other way. */
async function versions(both: Pair, count: number, keep: { syncs?: number; days?: number }): Promise<void> {
  for (let version = 1; version <= count; version += 1) {
    await writeFiles(both.local, { file: `ours ${version}` });
    await writeFiles(both.remote, { theirs: `theirs ${version}` });
    await syncFiles({ ...both.options, keep });
  }
}

test('what is older than the newest syncs is forgotten on both sides, and they can be undone', async () => {
  const keep = { syncs: 2, days: 0 };
  const both = await pair({ handler: { keep } });
  await versions(both, 6, keep);
  const kept = {
    local: await readdir(join(both.state, 'kept')),
    remote: await readdir(join(tenantState(both), 'kept')),
  };
  for (const version of [1, 2, 3]) {
    expect(kept.local).not.toContain(sha256(`theirs ${version}`));
    expect(kept.remote).not.toContain(sha256(`ours ${version}`));
  }
  expect(kept.local).toEqual(expect.arrayContaining([4, 5].map((version) => sha256(`theirs ${version}`))));
  expect(kept.remote).toEqual(expect.arrayContaining([4, 5].map((version) => sha256(`ours ${version}`))));
  for (const version of [5, 4]) {
    expect(await undoSync(both.options)).toMatchObject({ left: [] });
    // What came down is taken back here, what went up there.
    expect(await readFiles(both.remote)).toMatchObject({ file: `ours ${version}` });
    expect(await readFiles(both.local)).toMatchObject({ theirs: `theirs ${version}` });
  }
  await expect(undoSync(both.options)).rejects.toMatchObject({ code: 'SP_SYNC_NOTHING_TO_UNDO' });
  await versions(both, 1, keep);
  for (const state of [both.state, tenantState(both)]) expect(existsSync(join(state, 'pruning'))).toBe(false);
});

test('nothing that was kept in the last days is forgotten, however many syncs there were', async () => {
  const keep = { syncs: 1, days: 1 };
  const both = await pair({ handler: { keep } });
  await versions(both, 5, keep);
  for (let version = 4; version > 0; version -= 1) {
    await undoSync(both.options);
    expect(await readFiles(both.remote)).toMatchObject({ file: `ours ${version}` });
  }
});

test('a sync that only the tenant has forgotten is not undone at all', async () => {
  const both = await pair({ handler: { keep: { syncs: 1, days: 0 } } });
  await versions(both, 3, {});
  await undoSync(both.options);
  const sides = [await readFiles(both.local), await readFiles(both.remote)];
  await expect(undoSync(both.options)).rejects.toMatchObject({ code: 'SP_SYNC_NOTHING_TO_UNDO' });
  expect([await readFiles(both.local), await readFiles(both.remote)]).toEqual(sides);
});

test('a kill between forgetting the records and their contents: the next sync forgets those', async () => {
  const both = await pair();
  await versions(both, 3, {});
  // As it is left: the oldest records are gone, what they kept is not.
  for (const folder of ['operations', 'journal']) {
    const names = (await readdir(join(both.state, folder))).sort();
    for (const name of names.slice(0, -1)) await rm(join(both.state, folder, name));
  }
  await writeFile(join(both.state, 'pruning'), '');
  const kept = join(both.state, 'kept');
  expect(await readdir(kept)).toEqual(expect.arrayContaining([sha256('theirs 1'), sha256('theirs 2')]));
  // Two more are far from enough to forget anything but that.
  await writeFiles(both.remote, { theirs: 'theirs at last' });
  await syncFiles({ ...both.options, keep: { syncs: 20, days: 0 } });
  expect(await readdir(kept)).not.toContain(sha256('theirs 1'));
  expect(await readdir(kept)).toEqual(expect.arrayContaining([sha256('theirs 2'), sha256('theirs 3')]));
  await undoSync(both.options);
  await undoSync(both.options);
  expect(await readFiles(both.local)).toMatchObject({ theirs: 'theirs 2' });
});
