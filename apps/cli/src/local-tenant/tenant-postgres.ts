import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type * as managementApi from '@sp/management-api';
import { CliError } from '../cli-error.ts';
import { defaultDataDirectory } from '../local-cloud/data-directory.ts';
import { isListening } from './is-listening.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The embedded Postgres that the local tenants of all projects share. */
export interface TenantPostgres {
  readonly running: boolean;
  readonly port: number;
  /** Where its data are. */
  readonly dataDir: string;
}

/** The one that there is; `undefined` when no local tenant ever needed one. */
export async function findTenantPostgres(env: Environment): Promise<TenantPostgres | undefined> {
  const port = await findTenantPostgresPort(env);
  if (port === undefined) return undefined;
  return { running: await isListening(port), port, dataDir: tenantPostgresFolder(env) };
}

/** Its port, which it keeps; `undefined` when no local tenant ever needed one. */
export async function findTenantPostgresPort(env: Environment): Promise<number | undefined> {
  const text = await readFile(join(tenantPostgresFolder(env), 'postgres-port'), 'utf8').catch(() => '');
  const port = Number(text.trim());
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

/** Starts it, unless it runs, and makes it where there is none; answers the URL of a role that may do everything. */
export async function startTenantPostgres(
  env: Environment,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<string> {
  const { keepEmbeddedPostgres } = await loadServer();
  return (await keepEmbeddedPostgres({ dataDir: tenantPostgresFolder(env), signal })).url;
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

function tenantPostgresFolder(env: Environment): string {
  return join(dirname(defaultDataDirectory(env)), 'postgres');
}

async function loadServer(): Promise<
  Pick<typeof managementApi, 'keepEmbeddedPostgres' | 'removeEmbeddedPostgres' | 'stopEmbeddedPostgres'>
> {
  return await import('@sp/management-api').catch(() => {
    throw new CliError('SP_CLI_LOCAL_NOT_INSTALLED', 'The package @sp/management-api is not installed');
  });
}
