import { existsSync } from 'node:fs';
import { mkdir, realpath, rmdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lockDataFolder } from '../local/data-lock.ts';
import { isLocalCloudError } from '../local/local-cloud-error.ts';
import { clusterFolders, findPassword } from './cluster.ts';
import { type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded.ts';
import { isPostmasterOf, readPostmasterFile, stopPostmaster } from './leftover.ts';

/** A Postgres server that outlives the process that started it. */
export interface KeptPostgres {
  /** Of the superuser, database `postgres`; holds the password. */
  readonly url: string;
  readonly port: number;
  readonly status: 'started' | 'running';
}

/**
 * Makes sure that the Postgres of a data folder runs, and lets it run on. One that runs is found again, by its data
 * folder.
 * @throws {LocalCloudError} as {@link startEmbeddedPostgres}
 */
export async function keepEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<KeptPostgres> {
  const lock = await waitForTurn(options);
  try {
    const running = await findRunning(options.dataDir);
    if (running !== undefined) return running;
    const server = await startEmbeddedPostgres(options);
    server.release();
    return { url: server.url, port: server.port, status: 'started' };
  } finally {
    await lock.release();
  }
}

/** Stops the Postgres of a data folder, whoever started it. One that does not run is no error. */
export async function stopEmbeddedPostgres(options: { readonly dataDir: string }): Promise<void> {
  const found = await findPostmaster(options.dataDir);
  if (found !== undefined) await stopPostmaster(found.pid);
}

async function findRunning(dataDir: string): Promise<KeptPostgres | undefined> {
  const found = await findPostmaster(dataDir);
  if (found?.ready !== true) return undefined;
  const password = await findPassword(found.dataDir, { make: false });
  const url = `postgresql://postgres:${password}@127.0.0.1:${found.port}/postgres`;
  return { url, port: found.port, status: 'running' };
}

async function findPostmaster(
  folder: string,
): Promise<
  { readonly dataDir: string; readonly pid: number; readonly port: number; readonly ready: boolean } | undefined
> {
  const dataDir = await realpath(folder).catch(() => resolve(folder));
  const { own, shared } = clusterFolders(dataDir);
  const cluster = [shared, own].find((each) => existsSync(each));
  if (cluster === undefined) return undefined;
  const file = await readPostmasterFile(cluster);
  return file !== undefined && (await isPostmasterOf(file.pid, cluster)) ? { dataDir, ...file } : undefined;
}

// Beside the data folder, which must be empty when its server is made. Two at once would stop each other's server.
async function waitForTurn({ dataDir, signal }: EmbeddedPostgresOptions): Promise<{ release(): Promise<void> }> {
  const folder = `${resolve(dataDir)}.starting`;
  while (true) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const lock = await lockDataFolder(folder);
      return { release: () => lock.release().then(() => rmdir(folder).catch(() => undefined)) };
    } catch (error) {
      // Gone, also while it is made: whoever was before us has just finished.
      const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!gone && !isLocalCloudError(error)) throw error;
    }
    await delay(50, undefined, signal === undefined ? {} : { signal });
  }
}
