import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OciError } from './error.ts';

/**
 * Replaces a file in one step: readers see the old content or the new one, also after a crash of the computer; then with
 * `isDurable: false` perhaps neither, for what can be made again and shows when it is damaged.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  { isDurable = true }: { readonly isDurable?: boolean } = {},
): Promise<void> {
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(temporary, 'wx', 0o644);
    try {
      await handle.writeFile(content);
      if (isDurable) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw storageError(path, error);
  }
}

/** Whether a system error says that the file is not there. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** A failed disk operation as this package's error, with the system error as its cause. */
export function storageError(path: string, error: unknown): OciError {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error';
  return new OciError('SP_OCI_STORAGE', `Cannot use ${path}: ${code}`, { path, cause: error });
}
