import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory of its own for the running test, gone afterwards. */
export async function tempDir(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sp-private-file-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The permission bits. */
export function permissions(mode: number): number {
  return mode & 0o777;
}
