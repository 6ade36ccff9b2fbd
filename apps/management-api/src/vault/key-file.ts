import { randomBytes } from 'node:crypto';
import { link, mkdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { findFile, replaceFile } from '../local/atomic-file.ts';
import { LocalCloudError } from '../local/local-cloud-error.ts';

const keyBytes = 32;

/** A file with keys of 32 bytes: one as it is, or several as lines in base64, the newest first. */
export interface KeyFile {
  /** As they were when the file was read last. */
  readonly keys: readonly Uint8Array[];
  /** The keys when the file has changed since. */
  reload(): Promise<readonly Uint8Array[] | undefined>;
}

/** Reads a key file; one that is not there is made with one key. @throws {LocalCloudError} SP_LOCAL_DATA_INVALID */
export async function watchKeyFile(path: string): Promise<KeyFile> {
  await makeKeyFile(path);
  let seen = await versionOf(path);
  let keys = await readKeys(path);
  return {
    get keys() {
      return keys;
    },
    reload: async () => {
      const version = await versionOf(path);
      if (version === undefined || version === seen) return undefined;
      keys = await readKeys(path);
      seen = version;
      return keys;
    },
  };
}

/**
 * Puts a new key in front of those of a file: from then on it seals, and the others only open.
 * @throws {LocalCloudError} SP_LOCAL_DATA_INVALID
 */
export async function addVaultKey(path: string): Promise<void> {
  await makeKeyFile(path);
  await saveKeys(path, [randomBytes(keyBytes), ...(await readKeys(path))]);
}

/**
 * Takes every key but the newest out of a file. What they have sealed is lost unless `rotateKeys` has found nothing left
 * of them.
 * @throws {LocalCloudError} SP_LOCAL_DATA_INVALID
 */
export async function dropOldVaultKeys(path: string): Promise<void> {
  await saveKeys(path, (await readKeys(path)).slice(0, 1));
}

async function saveKeys(path: string, keys: readonly Uint8Array[]): Promise<void> {
  await replaceFile(path, keys.map((key) => `${Buffer.from(key).toString('base64')}\n`).join(''));
}

async function readKeys(path: string): Promise<readonly Uint8Array[]> {
  const content = (await findFile(path)) ?? Buffer.alloc(0);
  const keys = content.length === keyBytes ? [content] : parseKeys(content.toString('utf8'));
  if (keys.length === 0 || keys.some((key) => key.length !== keyBytes)) {
    throw new LocalCloudError('SP_LOCAL_DATA_INVALID', {
      path,
      message: `The vault's key file ${path} holds something else than keys of ${keyBytes} bytes`,
    });
  }
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new LocalCloudError('SP_LOCAL_DATA_INVALID', {
      path,
      message: `The vault's key ${path} is open to others: mode ${(mode & 0o777).toString(8)}`,
    });
  }
  return keys;
}

function parseKeys(text: string): Buffer[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => (/^[A-Za-z0-9+/]{43}=$/.test(line) ? Buffer.from(line, 'base64') : Buffer.alloc(0)));
}

/** Changes with each replacement of the file. */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { ino, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${mtimeNs}`;
  } catch {
    return undefined;
  }
}

async function makeKeyFile(path: string): Promise<void> {
  if ((await versionOf(path)) !== undefined) return;
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
}
