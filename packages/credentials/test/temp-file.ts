import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A path in a folder of the running test, below a `.systemprompt` that does not exist yet. */
export async function tempFile(name: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sp-credentials-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return join(root, '.systemprompt', name);
}
