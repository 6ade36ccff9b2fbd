import { dirname, join } from 'node:path';
import { readPrivateFile } from '@sp/private-file';
import type { StoredTenant } from '@sp/tenants';
import type { Context } from '../context.ts';
import { findTenantPostgresPort, startTenantPostgres } from './tenant-postgres.ts';

/** Which server a local tenant's database is on: one of ours, or one of the person's own. */
export type PostgresKind = 'docker' | 'embedded' | 'external';

/** Starts the server of local tenants, unless it runs; answers the URL of a role that may do everything. */
export async function startPostgres(context: Context, kind: 'docker' | 'embedded'): Promise<string> {
  const { env, signal } = context;
  if (kind === 'embedded') return await startTenantPostgres(env, { signal });
  const { startDockerPostgres } = await import('@sp/local-postgres');
  const image = env['SYSTEMPROMPT_POSTGRES_IMAGE'];
  const name = env['SYSTEMPROMPT_POSTGRES_CONTAINER'];
  return (await startDockerPostgres({ folder: dockerFolder(context), image, name, signal })).adminUrl;
}

/** Which server a tenant's database is on. In Docker is only what was made there: a URL can be of anybody's. */
export async function postgresOf(context: Context, tenant: StoredTenant): Promise<PostgresKind> {
  if (tenant.sharedContainerDb !== undefined) return 'docker';
  return (await ownServer(context, tenant.databaseUrl ?? '')) === 'embedded' ? 'embedded' : 'external';
}

/** Which of the servers that we run a URL leads to; `undefined` for one of the person's own, or in the cloud. */
export async function ownServer(context: Context, url: string): Promise<'docker' | 'embedded' | undefined> {
  if (!URL.canParse(url)) return undefined;
  const { hostname, port: text } = new URL(url);
  if (!['127.0.0.1', 'localhost'].includes(hostname)) return undefined;
  const port = Number(text || 5432);
  if (port === (await dockerPort(context))) return 'docker';
  return port === (await findTenantPostgresPort(context.env)) ? 'embedded' : undefined;
}

/** Where the compose file and the password of the server in Docker are. */
export function dockerFolder(context: Context): string {
  return join(dirname(context.requireProject().localTenants), 'docker');
}

async function dockerPort(context: Context): Promise<unknown> {
  const text = await readPrivateFile(join(dockerFolder(context), 'shared_config.json'));
  try {
    return (JSON.parse(text ?? '{}') as { port?: unknown }).port;
  } catch {
    // What the file holds is for those to refuse who need it.
    return undefined;
  }
}
