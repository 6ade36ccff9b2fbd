import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { processStartTime } from './process-life.ts';

/**
 * Writes down that the machines of a folder belong to this process. Their supervisors look at it: machines whose owner
 * is gone, and that nobody takes over, end.
 */
export async function claimMachines(path: string): Promise<void> {
  const claim = `${JSON.stringify({ pid: process.pid, start_time: await processStartTime(process.pid) })}\n`;
  if ((await readFile(path, 'utf8').catch(() => '')) === claim) return;
  const temporary = `${path}.${randomUUID()}.tmp`;
  await writeFile(temporary, claim, { mode: 0o600 });
  await rename(temporary, path);
}
