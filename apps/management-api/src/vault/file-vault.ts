import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { Vault } from '../ports/vault.ts';
import { type KeyFile, watchKeyFile } from './key-file.ts';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
// First byte of everything sealed, so that another algorithm can follow one day.
const format = 1;

/**
 * A vault whose key-encryption keys are in a file of this computer, made on first use. A key that is added to the file
 * seals from then on, also in a process that runs.
 * @throws {LocalCloudError} SP_LOCAL_DATA_INVALID when the file holds no keys, or others may read it
 */
export async function openFileVault(options: { readonly path: string }): Promise<Vault> {
  const file: KeyFile = await watchKeyFile(options.path);
  let vault = vaultOf(file.keys);
  // What a process has derived it has given to others: that stays until it ends.
  const { derive } = vault;
  const refresh = async (): Promise<boolean> => {
    const keys = await file.reload();
    if (keys === undefined) return false;
    vault = vaultOf(keys);
    return true;
  };
  return {
    get keyId() {
      return vault.keyId;
    },
    get keyIds() {
      return vault.keyIds;
    },
    derive,
    seal: async (plaintext, context) => {
      // Nothing must be sealed any more with a key that is about to be dropped.
      await refresh();
      return await vault.seal(plaintext, context);
    },
    open: async (sealed, context) => {
      try {
        return await vault.open(sealed, context);
      } catch (error) {
        if (!(await refresh())) throw error;
        return await vault.open(sealed, context);
      }
    },
    reseal: async (sealed, context) => {
      await refresh();
      return await vault.reseal(sealed, context);
    },
  };
}

/** A vault over a key of 32 bytes; `previousKeys` only open what they have sealed. */
export function createVault(
  key: Uint8Array,
  options: { readonly previousKeys?: readonly Uint8Array[] | undefined } = {},
): Vault {
  return vaultOf([key, ...(options.previousKeys ?? [])]);
}

function vaultOf(keys: readonly Uint8Array[]): Vault {
  const [newest, ...older] = keys.map(sealingKey);
  if (newest === undefined) throw new Error('A vault needs a key');
  // GCM tells whether a key has sealed the bytes: nothing else has to say it.
  const open = (sealed: Uint8Array, context: string): Buffer => {
    for (const key of [newest, ...older]) {
      const opened = key.tryOpen(sealed, context);
      if (opened !== undefined) return opened;
    }
    throw new Error('Not sealed by this vault, or for something else');
  };
  return {
    keyId: newest.id,
    keyIds: [newest, ...older].map(({ id }) => id),
    seal: async (plaintext, context) => newest.seal(plaintext, context),
    open: async (sealed, context) => open(sealed, context),
    reseal: async (sealed, context) =>
      newest.tryOpen(sealed, context) === undefined ? newest.seal(open(sealed, context), context) : undefined,
    derive: (label) => newest.derive(label),
  };
}

interface SealingKey {
  readonly id: string;
  seal(plaintext: Uint8Array, context: string): Buffer;
  /** `undefined`: this key has not sealed it, or for another context. */
  tryOpen(sealed: Uint8Array, context: string): Buffer | undefined;
  derive(label: string): Buffer;
}

function sealingKey(key: Uint8Array): SealingKey {
  // One key for each purpose: what signs must not be what encrypts.
  const purpose = (name: string): Buffer => Buffer.from(hkdfSync('sha256', key, '', `sp-vault|${name}`, keyBytes));
  const sealing = purpose('seal');
  const deriving = purpose('derive');
  return {
    id: createHash('sha256').update(purpose('id')).digest('hex').slice(0, 16),
    seal: (plaintext, context) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
      return Buffer.concat([Buffer.of(format), nonce, body, cipher.getAuthTag()]);
    },
    tryOpen: (sealed, context) => {
      const bytes = Buffer.from(sealed);
      if (bytes[0] !== format || bytes.length < 1 + nonceBytes + tagBytes) return undefined;
      const nonce = bytes.subarray(1, 1 + nonceBytes);
      const decipher = createDecipheriv('aes-256-gcm', sealing, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(1 + nonceBytes, -tagBytes)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
    derive: (label) => createHmac('sha256', deriving).update(label).digest(),
  };
}
