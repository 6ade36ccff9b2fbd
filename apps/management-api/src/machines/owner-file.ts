import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processStartTime } from './process-life.ts';

/** Says in a folder of machines which control plane they belong to. */
export function ownerFileOf(directory: string): string {
  return join(directory, '.owner');
}

/** Whether this process has claimed the machines, and nobody since. */
export async function hasClaimed(path: string): Promise<boolean> {
  return (await readFile(path, 'utf8').catch(() => '')) === (await ownClaim());
}

/**
 * Writes down that the machines of a folder belong to this process. Their supervisors look at it: machines whose owner
 * is gone, and that nobody takes over, end.
 */
export async function claimMachines(path: string): Promise<void> {
  if (await hasClaimed(path)) return;
  const temporary = `${path}.${randomUUID()}.tmp`;
  await writeFile(temporary, await ownClaim(), { mode: 0o600 });
  await rename(temporary, path);
}

async function ownClaim(): Promise<string> {
  return `${JSON.stringify({ pid: process.pid, start_time: await processStartTime(process.pid) })}\n`;
}
