import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { isPrivateFileError, PrivateFileError, readPrivateFile } from '../src/index.ts';
import { permissions, tempDir } from './temp-dir.ts';

test('an absent file is undefined, also when its directory is absent', async () => {
  const directory = await tempDir();
  expect(await readPrivateFile(join(directory, 'none.json'))).toBeUndefined();
  expect(await readPrivateFile(join(directory, 'no', 'such', 'none.json'))).toBeUndefined();
});

test('the text comes back exactly', async () => {
  const path = join(await tempDir(), 'file');
  await writeFile(path, '{"ü": "\r\n"}', { mode: 0o600 });
  expect(await readPrivateFile(path)).toBe('{"ü": "\r\n"}');
});

test.each([0o644, 0o660, 0o604, 0o640])('a file of mode %o is tightened to 0600', async (mode) => {
  const path = join(await tempDir(), 'file');
  await writeFile(path, 'text');
  await chmod(path, mode);
  expect(await readPrivateFile(path)).toBe('text');
  expect(permissions((await stat(path)).mode)).toBe(0o600);
});

test('a file that is already closed to others keeps its mode', async () => {
  const path = join(await tempDir(), 'file');
  await writeFile(path, 'text');
  await chmod(path, 0o400);
  expect(await readPrivateFile(path)).toBe('text');
  expect(permissions((await stat(path)).mode)).toBe(0o400);
});

test('a file of somebody else that others may open is refused', async () => {
  const directory = await tempDir();
  // Root may change any file, so as root the read is done as another user; anybody else takes a file of root.
  const isRoot = process.getuid?.() === 0;
  const path = isRoot ? join(directory, 'file') : '/etc/passwd';
  if (isRoot) {
    await writeFile(path, 'text', { mode: 0o644 });
    await chmod(directory, 0o755);
    process.seteuid?.(65_534);
  }
  try {
    await expect(readPrivateFile(path)).rejects.toMatchObject({ code: 'SP_FILE_TOO_OPEN', path });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test('a symlink is refused, also a dangling one', async () => {
  const directory = await tempDir();
  await writeFile(join(directory, 'target'), 'text', { mode: 0o600 });
  await symlink(join(directory, 'target'), join(directory, 'link'));
  await symlink(join(directory, 'nowhere'), join(directory, 'dangling'));
  for (const name of ['link', 'dangling']) {
    const path = join(directory, name);
    await expect(readPrivateFile(path)).rejects.toMatchObject({ code: 'SP_FILE_SYMLINK', path });
  }
});

test('a directory is unreadable', async () => {
  const path = join(await tempDir(), 'folder');
  await mkdir(path);
  await expect(readPrivateFile(path)).rejects.toMatchObject({ code: 'SP_FILE_UNREADABLE', path });
});

test('a path below a file is unreadable, with the cause of the system', async () => {
  const file = join(await tempDir(), 'file');
  await writeFile(file, 'text');
  const path = join(file, 'below');
  const error = await readPrivateFile(path).catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'SP_FILE_UNREADABLE', path, cause: { code: 'ENOTDIR' } });
});

test('the guard knows errors of another copy of the package and nothing else', () => {
  const error = new PrivateFileError('SP_FILE_LOCKED', 'message', { path: '/p' });
  expect(isPrivateFileError(error)).toBe(true);
  expect(isPrivateFileError(Object.assign(new Error('copy'), { [Symbol.for('@sp/private-file.error')]: true }))).toBe(
    true,
  );
  for (const value of [new Error('other'), undefined, null, 'SP_FILE_LOCKED', { code: 'SP_FILE_LOCKED' }]) {
    expect(isPrivateFileError(value)).toBe(false);
  }
  expect(inspect(error)).toContain("code: 'SP_FILE_LOCKED'");
});
