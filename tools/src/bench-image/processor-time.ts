import { readdir, readFile } from 'node:fs/promises';

/** The programs of Docker's engine: what a client asks for is done in them. */
const engine = /^(?:dockerd|containerd|buildkitd)$/;

/** Linux counts in these everywhere. */
const ticksPerSecond = 100;

/**
 * Seconds of processor time that this process's finished children, some other processes and Docker's engine have used so
 * far; `undefined` where the system does not say. Unlike time on the clock it hardly depends on what else the computer does.
 */
export async function processorTime(pids: readonly number[]): Promise<number | undefined> {
  const own = await ticksOf('self', 'children');
  if (own === undefined) return undefined;
  const all = await Promise.all([...pids.map(String), ...(await engineProcesses())].map((pid) => ticksOf(pid, 'own')));
  return all.reduce<number>((sum, ticks) => sum + (ticks ?? 0), own) / ticksPerSecond;
}

async function engineProcesses(): Promise<readonly string[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    names.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
      return engine.test(command.trim()) ? [pid] : [];
    }),
  );
  return found.flat();
}

async function ticksOf(pid: string, whose: 'own' | 'children'): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // Behind the name, which may hold anything: utime, stime, cutime and cstime are the 12th to 15th.
  const fields = stat
    ?.slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0] = fields?.slice(whose === 'own' ? 11 : 13) ?? [];
  return fields === undefined ? undefined : user + system;
}
