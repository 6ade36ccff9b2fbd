import { createHash, hash as hashOf } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../sync-error.ts';

const chunkSize = 1024 * 1024;

export function sha256(content: Uint8Array): string {
  return hashOf('sha256', content);
}

/**
 * Hash and stat of a file, which was the same before and after; `undefined` when it changed meanwhile or is no file.
 *
 * @param seen - what was seen of it a moment ago, which saves a look
 */
export async function hashFile(
  path: string,
  signal?: AbortSignal,
  seen?: Stats,
): Promise<{ readonly hash: string; readonly stats: Stats } | undefined> {
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const before = seen ?? fstatSync(descriptor);
    if (!before.isFile()) return undefined;
    const hash = before.size < chunkSize ? hashSmall(descriptor, before.size) : await hashLarge(descriptor, signal);
    const after = fstatSync(descriptor);
    return isSameStat(before, after) ? { hash, stats: after } : undefined;
  } finally {
    closeSync(descriptor);
  }
}

export function isSameStat(a: Stats, b: Stats): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}

/** Read into the same memory every time: to get some for each file takes as long as to read it. */
let memory: Buffer | undefined;

/** The hash of the bytes that a file has by its stat; one that has another number of them meanwhile is seen by that. */
function hashSmall(descriptor: number, size: number): string {
  memory ??= Buffer.allocUnsafeSlow(chunkSize);
  let length = 0;
  for (let read = -1; read !== 0 && length < size; length += read) {
    read = readSync(descriptor, memory, length, size - length, null);
  }
  return sha256(memory.subarray(0, length));
}

async function hashLarge(descriptor: number, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(chunkSize);
  for (let at = 0; ; ) {
    const read = readSync(descriptor, buffer, 0, chunkSize, at);
    if (read === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, read));
    at += read;
    // Whoever serves requests beside this gets a turn.
    await setImmediate();
    throwIfAborted(signal);
  }
}
