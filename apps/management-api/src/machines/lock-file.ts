import { createHash, randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, type ProcessIdentity, processStartTime } from './process-life.ts';

/** A lock that this process has. */
export interface HeldLock {
  release(): Promise<void>;
}

/**
 * Takes a lock for this process, or says which process has it; the lock of a process that is gone does not count.
 *
 * What replaces such a lock must not replace that of another process which has just done so. So whoever wants to first
 * makes a file that is named for what the lock said: of several processes one can, and it looks again before it goes on.
 * Should it be gone itself, its own file is taken over in the same way.
 */
export async function takeLock(path: string): Promise<HeldLock | { readonly holder: ProcessIdentity }> {
  const nonce = randomBytes(9).toString('hex');
  const startTime = (await processStartTime(process.pid)) ?? '';
  const content = JSON.stringify({ pid: process.pid, start_time: startTime, nonce });
  const own = `${path}.${nonce}`;
  await writeFile(own, content, { mode: 0o600, flag: 'wx', flush: true });
  const release = async (): Promise<void> => {
    if ((await find(path)) === content) await rm(path, { force: true });
  };
  try {
    while (true) {
      // A link, unlike a rename, never replaces: of two processes one succeeds.
      if (await linked(own, path)) return { release };
      const found = await find(path);
      if (found === undefined) continue;
      const holder = parseHolder(found);
      if (holder !== undefined && (await isAlive(holder))) return { holder };
      if (await succeed({ path, own, found })) return { release };
      await delay(20);
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** Replaces a lock whose process is gone; false when somebody else does, or has done it. */
async function succeed(lock: { readonly path: string; readonly own: string; readonly found: string }) {
  const { path, own, found } = lock;
  const claims = await claim(lock);
  const last = claims?.at(-1);
  if (claims === undefined || last === undefined) return false;
  if ((await find(path)) !== found) {
    await rm(last, { force: true });
    return false;
  }
  await rename(own, path);
  for (const name of claims) await rm(name, { force: true });
  return true;
}

/** The claims on what a file said, of which the last is ours and the others are of processes that are gone. */
async function claim(lock: { readonly path: string; readonly own: string; readonly found: string }) {
  const { path, own } = lock;
  const names: string[] = [];
  for (let found: string | undefined = lock.found; found !== undefined; ) {
    const name: string = `${path}.after-${createHash('sha256').update(found).digest('hex').slice(0, 24)}`;
    names.push(name);
    if (await linked(own, name)) return names;
    found = await find(name);
    const other = parseHolder(found);
    if (other !== undefined && (await isAlive(other))) return undefined;
  }
  return undefined;
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function find(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

function parseHolder(text: string | undefined): ProcessIdentity | undefined {
  try {
    const value = JSON.parse(text ?? '') as { pid?: unknown; start_time?: unknown } | null;
    if (typeof value?.pid !== 'number' || typeof value.start_time !== 'string') return undefined;
    return { pid: value.pid, startTime: value.start_time };
  } catch {
    return undefined;
  }
}
