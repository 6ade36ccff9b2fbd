import { type FileHandle, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { TenantsError } from '../tenants-error.ts';
import { readProfileText } from './load-profile.ts';

/** A draft that is older was left behind by a process that was killed: writing one takes milliseconds. */
const staleMs = 10_000;

/** How long to wait for other editors, in milliseconds. */
const patienceMs = 12_000;

/**
 * Puts what `change` makes of the text in its place, all or nothing, one editor at a time; the text itself means: leave
 * the file alone. It keeps its mode, since it has no secrets and whoever runs the project reads it. A symlink stays one.
 *
 * @returns whether the file was replaced
 */
export async function updateProfileText(
  path: string,
  change: (text: string) => string,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  await readProfileText(path);
  const target = await realpath(path).catch(failed(path));
  // The new text before it has its name is the lock at the same time: the rename that ends the work gives it back.
  const draft = `${target}.new`;
  const handle = await claim(draft, { path, signal });
  let renamed = false;
  try {
    const text = await readFile(target, 'utf8');
    const changed = change(text);
    if (changed === text) return false;
    await handle.writeFile(changed);
    await handle.chmod((await stat(target)).mode & 0o777);
    // On the disk before it has the name: a crash must not leave the name with half a text.
    await handle.sync();
    if (!(await isSame(handle, draft))) throw unwritable(path, 'another process took it over');
    await rename(draft, target);
    renamed = true;
    return true;
  } catch (error) {
    throw error instanceof TenantsError ? error : unwritable(path, (error as NodeJS.ErrnoException).code);
  } finally {
    if (!renamed && (await isSame(handle, draft))) await rm(draft, { force: true });
    await handle.close();
  }
}

async function claim(
  draft: string,
  { path, signal }: { readonly path: string; readonly signal: AbortSignal | undefined },
): Promise<FileHandle> {
  for (const deadline = Date.now() + patienceMs; ; ) {
    signal?.throwIfAborted();
    try {
      return await open(draft, 'wx');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') throw unwritable(path, code);
    }
    if (Date.now() > deadline) throw unwritable(path, 'another process is writing it');
    const { mtimeMs } = await stat(draft).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > staleMs) await rm(draft, { force: true });
    else await delay(5 + Math.random() * 20, undefined, signal ? { signal } : {});
  }
}

/** Whether the name still means our file. */
async function isSame(handle: FileHandle, path: string): Promise<boolean> {
  const [ours, theirs] = await Promise.all([handle.stat(), stat(path).catch(() => undefined)]);
  return ours.ino === theirs?.ino;
}

function failed(path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    throw unwritable(path, error.code);
  };
}

function unwritable(path: string, why = 'unknown reason'): TenantsError {
  return new TenantsError('SP_PROFILE_UNWRITABLE', `Cannot change ${path}: ${why}`, { path });
}
