import { createHash, randomUUID } from 'node:crypto';
import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { kill, pid } from 'node:process';
import { systemCode } from '../sync-error.ts';
import { hashFile } from './hash-file.ts';

/** Folders of a process that cannot be asked, on another computer, are taken over after so long. */
const staleMs = 24 * 60 * 60 * 1000;

const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 16);
const self = randomUUID().slice(0, 8);
const pattern = /^new-([0-9a-f]{16})-(\d+)-([0-9a-f]{8})-[0-9a-f]{8}$/;

/** A name for folders that are being filled: it says by whom. */
export function fillingName(): string {
  return `new-${host}-${pid}-${self}-${randomUUID().slice(0, 8)}`;
}

/**
 * Saves the contents of folders that a killed process was filling, and removes the folders.
 *
 * @param keep - called with each whole content that is in them, which it takes away
 */
export async function takeLeftFolders(incoming: string, keep: (path: string, hash: string) => void): Promise<void> {
  for (const name of readdirSync(incoming)) {
    const folder = join(incoming, name);
    if (!pattern.test(name) || isAtWork(name, folder)) continue;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      // Cut by the kill or not: by this name it is what it is, and of no use to anybody when it was cut.
      const read = await hashFile(path);
      if (read !== undefined) keep(path, read.hash);
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

function isAtWork(name: string, folder: string): boolean {
  const [, itsHost, itsPid, itsSelf] = pattern.exec(name) ?? [];
  if (itsHost !== host) return (lstatSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0) > Date.now() - staleMs;
  if (itsSelf === self) return true;
  // This process has its number: the other one is gone.
  if (Number(itsPid) === pid) return false;
  try {
    kill(Number(itsPid), 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}
