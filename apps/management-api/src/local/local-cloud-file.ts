import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { findFile, replaceFile } from './atomic-file.ts';

/** What a running local cloud says about itself in its data folder. */
export interface LocalCloudFile {
  readonly pid: number;
  readonly url: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly machines: 'docker' | 'process';
}

const schema = z.object({
  pid: z.int(),
  url: z.string(),
  started_at: z.string(),
  machines: z.enum(['docker', 'process']),
});

/** Reads `local-cloud.json`; `undefined` when nothing runs on the folder, or nothing that can be understood. */
export async function readLocalCloudFile(dataDir: string): Promise<LocalCloudFile | undefined> {
  const text = (await findFile(pathOf(dataDir)))?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    const parsed = schema.parse(JSON.parse(text));
    return { pid: parsed.pid, url: parsed.url, startedAt: parsed.started_at, machines: parsed.machines };
  } catch {
    return undefined;
  }
}

/** Says that the cloud is ready. */
export async function saveLocalCloudFile(dataDir: string, file: LocalCloudFile): Promise<void> {
  const { pid, url, startedAt, machines } = file;
  await replaceFile(pathOf(dataDir), `${JSON.stringify({ pid, url, started_at: startedAt, machines }, null, 2)}\n`);
}

/** Says that it is gone. */
export async function deleteLocalCloudFile(dataDir: string): Promise<void> {
  await rm(pathOf(dataDir), { force: true });
}

function pathOf(dataDir: string): string {
  return join(dataDir, 'local-cloud.json');
}
