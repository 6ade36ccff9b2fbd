import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { findFile, replaceFile } from '../local/atomic-file.ts';
import { LocalCloudError } from '../local/local-cloud-error.ts';
import type { Vault } from '../ports/vault.ts';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
// First byte of everything sealed, so that another algorithm can follow one day.
const format = 1;

/**
 * A vault whose key-encryption key is a file of this computer, made on first use.
 * @throws {LocalCloudError} SP_LOCAL_DATA_INVALID when the file is not a key, or others may read it
 */
export async function openFileVault(options: { readonly path: string }): Promise<Vault> {
  return createVault(await findOrMakeKey(options.path));
}

/** A vault over a key of 32 bytes. */
export function createVault(key: Uint8Array): Vault {
  // One key for each purpose: what signs must not be what encrypts.
  const purpose = (name: string): Buffer => Buffer.from(hkdfSync('sha256', key, '', `sp-vault|${name}`, keyBytes));
  const sealing = purpose('seal');
  const deriving = purpose('derive');
  return {
    keyId: createHash('sha256').update(purpose('id')).digest('hex').slice(0, 16),
    seal: async (plaintext, context) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
      return Buffer.concat([Buffer.of(format), nonce, body, cipher.getAuthTag()]);
    },
    open: async (sealed, context) => {
      const bytes = Buffer.from(sealed);
      if (bytes[0] !== format || bytes.length < 1 + nonceBytes + tagBytes) throw new Error('Not sealed by this vault');
      const nonce = bytes.subarray(1, 1 + nonceBytes);
      const decipher = createDecipheriv('aes-256-gcm', sealing, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      return Buffer.concat([decipher.update(bytes.subarray(1 + nonceBytes, -tagBytes)), decipher.final()]);
    },
    derive: (label) => createHmac('sha256', deriving).update(label).digest(),
  };
}

async function findOrMakeKey(path: string): Promise<Buffer> {
  const existing = await findFile(path);
  if (existing === undefined) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const temporary = `${path}.${randomBytes(6).toString('hex')}`;
    await replaceFile(temporary, randomBytes(keyBytes));
    try {
      // A link, unlike a rename, never replaces: two processes that start at once end with one key.
      await link(temporary, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      await rm(temporary, { force: true });
    }
    return await findOrMakeKey(path);
  }
  if (existing.length !== keyBytes) {
    throw new LocalCloudError('SP_LOCAL_DATA_INVALID', { path, message: `The vault's key ${path} is not 32 bytes` });
  }
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new LocalCloudError('SP_LOCAL_DATA_INVALID', {
      path,
      message: `The vault's key ${path} is open to others: mode ${(mode & 0o777).toString(8)}`,
    });
  }
  return existing;
}
