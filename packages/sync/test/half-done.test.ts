import { createHash } from 'node:crypto';
import { link, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSyncHandler } from '../src/server.ts';
import { readFiles, temporaryFolder, token } from './setup.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const facts = (text: string) => ({ hash: sha256(text), size: text.length, mode: 0o644 });
const id = '00000000-0000-0000-0000-00000000000a';

/** A tenant whose process was killed between the journal and the end of a change of `a` from `old` to `new`. */
async function killed(before: string | undefined) {
  const root = join(await temporaryFolder(), 'tenant');
  const state = join(root, '.systemprompt', 'sync');
  for (const folder of ['journal', 'kept', 'incoming']) await mkdir(join(state, folder), { recursive: true });
  const change = { path: 'a', ...(before === undefined ? {} : { before: facts(before) }), after: facts('new') };
  const entry = { id, number: 1, at: '2026-01-02T03:04:05.000Z', state: 'applying', changes: [change], left: [] };
  await writeFile(join(state, 'journal', `00000001-${id}.applying.json`), JSON.stringify(entry));
  const handler = createSyncHandler({ root, token });
  const call = (method: string, path: string, body?: string) =>
    handler(
      new Request(`http://tenant.test/api/v1/sync/${path}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body }),
      }),
    );
  return {
    root,
    kept: join(state, 'kept'),
    incoming: join(state, 'incoming'),
    async recover() {
      expect((await call('GET', 'tree')).status).toBe(200);
      expect(await readdir(join(state, 'journal'))).toEqual([`00000001-${id}.done.json`]);
      expect((await readdir(root)).sort()).toEqual(['.systemprompt', 'a']);
    },
    async undo() {
      const body = JSON.stringify({ id: `${id}-undo`, of: id });
      expect((await call('POST', 'undo', body)).status).toBe(200);
    },
  };
}

test('killed before a file got its second name: the change is made', async () => {
  const { root, kept, incoming, recover, undo } = await killed('old');
  await writeFile(join(root, 'a'), 'old');
  await writeFile(join(incoming, sha256('new')), 'new');
  await recover();
  expect([await readFiles(root), await readdir(kept)]).toEqual([{ a: 'new' }, [sha256('old')]]);
  await undo();
  expect(await readFiles(root)).toEqual({ a: 'old' });
});

test('killed with two names of the old file: neither is a name of the other afterwards', async () => {
  const { root, kept, incoming, recover } = await killed('old');
  await writeFile(join(root, 'a'), 'old');
  await link(join(root, 'a'), join(kept, `.new-${sha256('old')}`));
  await writeFile(join(incoming, sha256('new')), 'new');
  await recover();
  expect(await readdir(kept)).toEqual([sha256('old')]);
  expect((await stat(join(kept, sha256('old')))).nlink).toBe(1);
  await writeFile(join(root, 'a'), 'edited');
  expect(await readFile(join(kept, sha256('old')), 'utf8')).toBe('old');
});

test('killed after the file was replaced: the old one is kept under its name', async () => {
  const { root, kept, recover, undo } = await killed('old');
  await writeFile(join(root, 'a'), 'new');
  await writeFile(join(kept, `.new-${sha256('old')}`), 'old');
  await recover();
  expect(await readdir(kept)).toEqual([sha256('old')]);
  await undo();
  expect(await readFiles(root)).toEqual({ a: 'old' });
});

test('killed with the new content beside its place only: it is used', async () => {
  const { root, kept, recover } = await killed('old');
  await writeFile(join(root, 'a'), 'old');
  await writeFile(join(root, `.sp-sync-${sha256('new')}`), 'new');
  await recover();
  expect([await readFiles(root), await readdir(kept)]).toEqual([{ a: 'new' }, [sha256('old')]]);
});

test('killed with two names of the new file: what comes later is no third one', async () => {
  const { root, incoming, recover } = await killed(undefined);
  await writeFile(join(root, 'a'), 'new');
  await link(join(root, 'a'), join(incoming, sha256('new')));
  await recover();
  expect(await readdir(incoming)).toEqual([]);
  expect((await stat(join(root, 'a'))).nlink).toBe(1);
});

test('edited after the kill: the edit stays', async () => {
  const { root, kept, incoming, recover, undo } = await killed('old');
  await writeFile(join(root, 'a'), 'edited');
  await writeFile(join(incoming, sha256('new')), 'new');
  await recover();
  expect([await readFiles(root), await readdir(kept)]).toEqual([{ a: 'edited' }, []]);
  await undo();
  expect(await readFiles(root)).toEqual({ a: 'edited' });
});
