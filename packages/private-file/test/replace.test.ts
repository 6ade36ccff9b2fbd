import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deletePrivateFile, readPrivateFile, replacePrivateFile } from '../src/index.ts';
import { permissions, tempDir } from './temp-dir.ts';

test('a new file is 0600 in new directories of 0700, and ignored by git', async () => {
  const root = await tempDir();
  const directory = join(root, 'a', '.systemprompt');
  const path = join(directory, 'credentials.json');
  await replacePrivateFile(path, '{\n  "a": 1\n}');
  expect(await readFile(path, 'utf8')).toBe('{\n  "a": 1\n}');
  expect(permissions((await stat(path)).mode)).toBe(0o600);
  expect(permissions((await stat(directory)).mode)).toBe(0o700);
  expect(permissions((await stat(join(root, 'a'))).mode)).toBe(0o700);
  expect(await readFile(join(directory, '.gitignore'), 'utf8')).toBe('*\n');
});

test('replacing closes an open file, keeps a .gitignore and leaves nothing else behind', async () => {
  const directory = await tempDir();
  const path = join(directory, 'file');
  await writeFile(path, 'old and longer');
  await chmod(path, 0o644);
  await writeFile(join(directory, '.gitignore'), 'mine\n');
  await replacePrivateFile(path, 'new');
  await replacePrivateFile(path, 'new');
  expect(await readFile(path, 'utf8')).toBe('new');
  expect(permissions((await stat(path)).mode)).toBe(0o600);
  expect(await readFile(join(directory, '.gitignore'), 'utf8')).toBe('mine\n');
  expect((await readdir(directory)).sort()).toEqual(['.gitignore', 'file']);
});

test('`gitignore: false` writes none', async () => {
  const directory = await tempDir();
  await replacePrivateFile(join(directory, 'file'), 'text', { gitignore: false });
  expect(await readdir(directory)).toEqual(['file']);
});

test('a symlink is refused and neither it nor its target changes', async () => {
  const directory = await tempDir();
  const target = join(directory, 'target');
  const path = join(directory, 'link');
  await writeFile(target, 'theirs');
  await symlink(target, path);
  await expect(replacePrivateFile(path, 'secret')).rejects.toMatchObject({ code: 'SP_FILE_SYMLINK', path });
  expect(await readFile(target, 'utf8')).toBe('theirs');
  expect((await lstat(path)).isSymbolicLink()).toBe(true);
});

test('a directory that cannot be made is a named error without the text', async () => {
  const directory = await tempDir();
  await writeFile(join(directory, 'file'), '');
  const path = join(directory, 'file', 'below', 'credentials.json');
  const error = await replacePrivateFile(path, 'the-secret').catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'SP_FILE_UNWRITABLE', path, cause: { code: 'ENOTDIR' } });
  expect(String((error as Error).stack)).not.toContain('the-secret');
});

test('an aborted signal changes nothing', async () => {
  const directory = await tempDir();
  const path = join(directory, 'file');
  const writing = replacePrivateFile(path, 'text', { signal: AbortSignal.abort() });
  await expect(writing).rejects.toMatchObject({ code: 'SP_FILE_ABORTED', path });
  expect(await readdir(directory)).toEqual([]);
});

test('readers see a whole text at all times', async () => {
  const path = join(await tempDir(), 'file');
  const texts = ['a', 'b'].map((letter) => letter.repeat(200_000));
  await replacePrivateFile(path, texts[0] ?? '');
  const write = async (): Promise<void> => {
    for (let round = 0; round < 20; round += 1) await replacePrivateFile(path, texts[round % 2] ?? '');
  };
  const seen = new Set<string | undefined>();
  const read = async (): Promise<void> => {
    for (let round = 0; round < 100; round += 1) seen.add(await readPrivateFile(path));
  };
  await Promise.all([write(), read()]);
  expect([...seen].every((text) => text !== undefined && texts.includes(text))).toBe(true);
});

test('deleting tells whether there was a file, and removes a symlink but not its target', async () => {
  const directory = await tempDir();
  const path = join(directory, 'file');
  await replacePrivateFile(path, 'text');
  expect(await deletePrivateFile(path)).toBe(true);
  expect(await deletePrivateFile(path)).toBe(false);
  expect(await readPrivateFile(path)).toBeUndefined();

  await writeFile(join(directory, 'target'), 'theirs');
  await symlink(join(directory, 'target'), path);
  expect(await deletePrivateFile(path)).toBe(true);
  expect(await readFile(join(directory, 'target'), 'utf8')).toBe('theirs');

  await mkdir(join(directory, 'folder'));
  const folder = join(directory, 'folder');
  await expect(deletePrivateFile(folder)).rejects.toMatchObject({ code: 'SP_FILE_UNWRITABLE', path: folder });
});
