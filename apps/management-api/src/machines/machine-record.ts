import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod/mini';
import { MachineError } from './machine-error.ts';

/** What the process driver keeps on disk about a machine (`machine.json`). */
export interface MachineRecord {
  readonly releaseId: string;
  /** Where the machine was told to listen, on 127.0.0.1. */
  readonly port: number;
  /** The supervisor of the machine, and number of the process group; missing while it is being started. */
  readonly pid?: number | undefined;
  /** Tells the process from a later one with the same number. */
  readonly startTime?: string | undefined;
}

const recordSchema = z.object({
  release_id: z.string(),
  port: z.number(),
  pid: z.optional(z.number()),
  start_time: z.optional(z.string()),
});

/** @throws {@link MachineError} `SP_MACHINE_STATE` */
export async function findRecord(path: string): Promise<MachineRecord | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const parsed = recordSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new MachineError('SP_MACHINE_STATE', { message: `${path} is not a machine record`, path });
  const { release_id, port, pid, start_time } = parsed.data;
  return { releaseId: release_id, port, pid, startTime: start_time };
}

export async function saveRecord(path: string, record: MachineRecord): Promise<void> {
  const { releaseId, port, pid, startTime } = record;
  const json = { release_id: releaseId, port, pid, start_time: startTime };
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(temporary, `${JSON.stringify(json, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The exit code that a supervisor wrote; `undefined` when it could not. */
export async function findExitCode(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return /^\d+\n$/.test(text) ? Number(text) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
