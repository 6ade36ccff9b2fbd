import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type * as managementApi from '@sp/management-api';
import { CliError } from '../cli-error.ts';
import { defaultDataDirectory } from '../local-cloud/data-directory.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The embedded Postgres that the local tenants of all projects share. */
export interface TenantPostgres {
  readonly running: boolean;
  readonly port: number;
  /** Where its data are. */
  readonly dataDir: string;
}

/** Where it is, whether there is one or not. */
function tenantPostgresFolder(env: Environment): string {
  return join(dirname(defaultDataDirectory(env)), 'postgres');
}

/** The one that there is; `undefined` when no local tenant ever needed one. */
export async function findTenantPostgres(env: Environment): Promise<TenantPostgres | undefined> {
  const dataDir = tenantPostgresFolder(env);
  const port = Number((await readFile(join(dataDir, 'postgres-port'), 'utf8').catch(() => '')).trim());
  if (!Number.isInteger(port) || port <= 0) return undefined;
  return { running: await answers(port), port, dataDir };
}

/** Stops it; its data stay, and the next command that needs it starts it. */
export async function stopTenantPostgres(env: Environment): Promise<void> {
  const { stopEmbeddedPostgres } = await loadServer();
  await stopEmbeddedPostgres({ dataDir: tenantPostgresFolder(env) });
}

/** Stops it, and deletes it with every database. */
export async function removeTenantPostgres(env: Environment): Promise<void> {
  const { removeEmbeddedPostgres } = await loadServer();
  await removeEmbeddedPostgres({ dataDir: tenantPostgresFolder(env) });
}

async function loadServer(): Promise<Pick<typeof managementApi, 'removeEmbeddedPostgres' | 'stopEmbeddedPostgres'>> {
  return await import('@sp/management-api').catch(() => {
    throw new CliError('SP_CLI_LOCAL_NOT_INSTALLED', 'The package @sp/management-api is not installed');
  });
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1000 });
    const end = (found: boolean): void => {
      socket.destroy();
      resolve(found);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
