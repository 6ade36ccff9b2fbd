import { existsSync } from 'node:fs';
import { readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { findFile } from '../local/atomic-file.ts';
import { processStartTime } from '../machines/process-life.ts';

/** What a postmaster writes about itself into its data folder. */
export interface PostmasterFile {
  readonly pid: number;
  readonly dataFolder: string;
  readonly port: number;
  readonly ready: boolean;
}

/** Reads `postmaster.pid`, which is there while a server runs, and after it was killed. */
export async function readPostmasterFile(folder: string): Promise<PostmasterFile | undefined> {
  const text = (await findFile(join(folder, 'postmaster.pid')))?.toString('utf8');
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  return {
    pid: Number(lines[0]),
    dataFolder: lines[1]?.trim() ?? '',
    port: Number(lines[3]),
    ready: lines[7]?.trim() === 'ready',
  };
}

/**
 * Stops a server that outlived the process that started it. A stale file, whose number belongs to another program by
 * now, is removed: Postgres itself would take any living process of that number for a server.
 */
export async function stopLeftover(folder: string): Promise<void> {
  const file = await readPostmasterFile(folder);
  if (file === undefined) return;
  if (await isPostmasterOf(file.pid, folder)) await stopPostmaster(file.pid);
  await rm(join(folder, 'postmaster.pid'), { force: true });
}

/** Fast shutdown, then without ceremony, then by force; returns when the process is gone. */
export async function stopPostmaster(pid: number): Promise<void> {
  for (const [signal, patience] of [
    ['SIGINT', 10_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (!send(pid, signal)) return;
    for (let waited = 0; waited < patience; waited += 20) {
      // A dead process that nobody reaps still takes signals.
      if ((await processStartTime(pid)) === undefined) return;
      await delay(20);
    }
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Whether a process is the Postgres server of a data folder. */
export async function isPostmasterOf(pid: number, folder: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 1 || (await processStartTime(pid)) === undefined) return false;
  const command = await commandLine(pid);
  return command.includes('postgres') && command.includes(await realpath(folder).catch(() => folder));
}

async function commandLine(pid: number): Promise<string> {
  if (existsSync('/proc/self/cmdline')) {
    return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  }
  const { stdout } = await execa('ps', ['-o', 'args=', '-p', String(pid)], { reject: false, stdin: 'ignore' });
  return stdout;
}
