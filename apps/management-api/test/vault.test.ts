import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createVault, openFileVault } from '../src/vault/file-vault.ts';
import { addVaultKey, dropOldVaultKeys } from '../src/vault/key-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-vault-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('what was sealed opens with its context, and with nothing else', async () => {
  const vault = createVault(randomBytes(32));
  const sealed = await vault.seal(Buffer.from('canary'), 'tenant-1');
  expect(sealed.includes('canary')).toBe(false);
  expect((await vault.open(sealed, 'tenant-1')).toString()).toBe('canary');
  await expect(vault.open(sealed, 'tenant-2')).rejects.toThrow();
  await expect(createVault(randomBytes(32)).open(sealed, 'tenant-1')).rejects.toThrow();
  await expect(vault.open(sealed.subarray(0, 10), 'tenant-1')).rejects.toThrow();
  for (const index of [0, 1, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[index] = (changed[index] ?? 0) ^ 1;
    await expect(vault.open(changed, 'tenant-1')).rejects.toThrow();
  }
  expect(await vault.seal(Buffer.from('canary'), 'tenant-1')).not.toEqual(sealed);
});

test('derived secrets are the same every time, one for each label and key', () => {
  const key = randomBytes(32);
  expect(createVault(key).derive('a')).toEqual(createVault(key).derive('a'));
  expect(createVault(key).derive('a')).not.toEqual(createVault(key).derive('b'));
  expect(createVault(key).derive('a')).not.toEqual(createVault(randomBytes(32)).derive('a'));
});

test('the key file is made once, for its owner only, also by two at once', async () => {
  const path = join(folder, 'keys', 'vault.key');
  const vaults = await Promise.all([openFileVault({ path }), openFileVault({ path }), openFileVault({ path })]);
  expect(new Set(vaults.map((vault) => vault.keyId)).size).toBe(1);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await openFileVault({ path })).keyId).toBe(vaults[0]?.keyId);
});

test('a key file that others may read, or that is no key, is refused', async () => {
  const open = join(folder, 'open.key');
  await openFileVault({ path: open });
  await chmod(open, 0o644);
  await expect(openFileVault({ path: open })).rejects.toMatchObject({ code: 'SP_LOCAL_DATA_INVALID', path: open });
  const short = join(folder, 'short.key');
  await writeFile(short, 'short', { mode: 0o600 });
  await expect(openFileVault({ path: short })).rejects.toMatchObject({ code: 'SP_LOCAL_DATA_INVALID', path: short });
});

test('older keys open what they have sealed, and the newest seals', async () => {
  const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)];
  const old = await createVault(first).seal(Buffer.from('canary'), 'tenant-1');
  const vault = createVault(second, { previousKeys: [first] });
  expect(vault.keyIds).toEqual([createVault(second).keyId, createVault(first).keyId]);
  expect(vault.keyId).toBe(createVault(second).keyId);
  expect((await vault.open(old, 'tenant-1')).toString()).toBe('canary');
  await expect(vault.open(old, 'tenant-2')).rejects.toThrow();
  const next = (await vault.reseal(old, 'tenant-1')) ?? Buffer.alloc(0);
  expect((await createVault(second).open(next, 'tenant-1')).toString()).toBe('canary');
  expect(await vault.reseal(next, 'tenant-1')).toBeUndefined();
  await expect(createVault(third).reseal(old, 'tenant-1')).rejects.toThrow();
  expect(vault.derive('a')).toEqual(createVault(second).derive('a'));
});

test('a key that is added to the file seals at once in a process that runs, and the old ones can go', async () => {
  const path = join(folder, 'rotating.key');
  const vault = await openFileVault({ path });
  const [before, derived] = [vault.keyId, vault.derive('a')];
  const old = await vault.seal(Buffer.from('canary'), 'x');
  await addVaultKey(path);
  const other = await openFileVault({ path });
  expect(other.keyIds).toHaveLength(2);
  // What another process has sealed with the new key opens here, and what is sealed here is the new key's.
  expect((await vault.open(await other.seal(Buffer.from('new'), 'x'), 'x')).toString()).toBe('new');
  const sealed = await vault.seal(Buffer.from('canary'), 'x');
  expect(vault.keyIds).toEqual([other.keyId, before]);
  expect(vault.derive('a')).toEqual(derived);
  const moved = (await vault.reseal(old, 'x')) ?? Buffer.alloc(0);
  await dropOldVaultKeys(path);
  const last = await openFileVault({ path });
  expect(last.keyIds).toEqual([other.keyId]);
  for (const bytes of [sealed, moved]) expect((await last.open(bytes, 'x')).toString()).toBe('canary');
  await expect(last.open(old, 'x')).rejects.toThrow();
  expect((await stat(path)).mode & 0o777).toBe(0o600);

  await writeFile(path, `${randomBytes(32).toString('base64')}\nno key\n`, { mode: 0o600 });
  await expect(openFileVault({ path })).rejects.toMatchObject({ code: 'SP_LOCAL_DATA_INVALID', path });
});
