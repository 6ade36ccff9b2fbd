import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { getSyncStatus, rememberShipped, syncFiles } from '../src/index.ts';
import { pair, readFiles, writeFiles } from './setup.ts';

test('what the tenant has of a release of this project was changed by nobody there', async () => {
  const { local, remote, options } = await pair();
  const ship = async (files: Record<string, string | null>): Promise<void> => {
    await writeFiles(local, files);
    await rememberShipped(options);
  };
  const runs = async (files: Record<string, string | null>): Promise<void> => {
    await writeFiles(remote, files);
  };
  await ship({ a: '1', b: '1', gone: '1' });
  await runs({ a: '1', b: '1', gone: '1' });
  expect(await getSyncStatus(options)).toMatchObject({ inSync: true });
  await ship({ a: '2', gone: null, added: '2' });
  await runs({ a: '2', gone: null, added: '2' });
  expect(await getSyncStatus(options)).toMatchObject({ inSync: true });

  // Back to the first release: the project is what is newer.
  await runs({ a: '1', gone: '1', added: null });
  const back = { localChanges: ['a', 'added', 'gone'], remoteChanges: [], conflicts: [], inSync: false };
  expect(await getSyncStatus(options)).toEqual(back);
  const { plan } = await syncFiles({ ...options, direction: 'down', delete: true });
  expect(plan.down).toEqual([]);
  expect(await readFiles(local)).toEqual({ a: '2', b: '1', added: '2' });

  // A release that was shipped while nobody watched, and edited here since.
  await ship({ a: '3' });
  await runs({ a: '3', gone: null, added: '2' });
  await writeFiles(local, { a: '4' });
  expect(await getSyncStatus(options)).toMatchObject({ localChanges: ['a'], remoteChanges: [], conflicts: [] });

  // Somebody's edit of such a release is an edit all the same.
  await runs({ a: '1', gone: '1', added: null, b: 'edited there' });
  expect(await getSyncStatus(options)).toMatchObject({ localChanges: ['a', 'added', 'gone'], remoteChanges: ['b'] });
  await writeFiles(local, { b: 'edited here' });
  const both = await getSyncStatus(options);
  expect(both).toMatchObject({ remoteChanges: [] });
  expect(both.conflicts.map(({ path }) => path)).toEqual(['b']);
});

test('a damaged record of the last sync is named; without it, differences are conflicts', async () => {
  const { local, remote, options } = await pair();
  await writeFiles(local, { a: '1' });
  await syncFiles(options);
  await writeFiles(local, { a: '2' });
  const path = join(options.stateDirectory, 'base');
  await writeFile(path, 'damaged');
  await expect(getSyncStatus(options)).rejects.toMatchObject({ code: 'SP_SYNC_BASE_DAMAGED', path, retryable: false });
  await rm(path);
  expect((await getSyncStatus(options)).conflicts.map((conflict) => conflict.path)).toEqual(['a']);
  expect(await readFiles(remote)).toEqual({ a: '1' });
});
