import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A process that cannot be taken for a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the words of the operating system. */
  readonly startTime: string;
}

/** When the process with this number started; `undefined` when there is none or it is dead and only waits to be reaped. */
export async function processStartTime(pid: number): Promise<string | undefined> {
  try {
    if (platform() === 'linux') {
      const text = await readFile(`/proc/${pid}/stat`, 'utf8');
      // The second field is the command's name in parentheses and may hold anything; counting starts behind it.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      const [state] = fields;
      return state === 'Z' || state === 'X' ? undefined : fields[22 - 3];
    }
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
    const line = stdout.trim();
    return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
  } catch {
    return undefined;
  }
}

export async function isAlive({ pid, startTime }: ProcessIdentity): Promise<boolean> {
  return (await processStartTime(pid)) === startTime;
}

/**
 * Ends a process group by its leader: SIGTERM, then SIGKILL after `graceMs`. False when the leader lives even then.
 */
export async function endProcessGroup(
  leader: ProcessIdentity,
  options: { readonly graceMs?: number } = {},
): Promise<boolean> {
  const { graceMs = 5000 } = options;
  if (!(await isAlive(leader))) return true;
  signalGroup(leader.pid, 'SIGTERM');
  await waitForEnd(leader, graceMs);
  // Also when the leader is gone: it may have left children behind.
  signalGroup(leader.pid, 'SIGKILL');
  return waitForEnd(leader, 5000);
}

/** The leader of the process group whose environment holds `NAME=value`: how a process is found that nobody wrote down. */
export async function findByEnvironment(assignment: string): Promise<ProcessIdentity | undefined> {
  for (const pid of await withEnvironment(assignment)) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
    const startTime = await processStartTime(pid);
    if (group === pid && startTime !== undefined) return { pid, startTime };
  }
  return undefined;
}

/** Kills every process whose environment holds `NAME=value`. */
export async function killByEnvironment(assignment: string): Promise<void> {
  for (const pid of await withEnvironment(assignment)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
}

async function withEnvironment(assignment: string): Promise<readonly number[]> {
  if (platform() !== 'linux') return [];
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '');
    if (environment.split('\0').includes(assignment)) found.push(Number(name));
  }
  return found;
}

async function waitForEnd(leader: ProcessIdentity, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (await isAlive(leader)) {
    if (performance.now() > end) return false;
    await delay(20);
  }
  return true;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
