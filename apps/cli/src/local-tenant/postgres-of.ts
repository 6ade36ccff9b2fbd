import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readPrivateFile } from '@sp/private-file';
import type { StoredTenant } from '@sp/tenants';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { defaultDataDirectory } from '../local-cloud/data-directory.ts';

/** Which server a local tenant's database is on: one of ours, or one of the person's own. */
export type PostgresKind = 'docker' | 'embedded' | 'external';

/** A server that runs, and what made it. */
export interface RunningPostgres {
  readonly kind: 'docker' | 'embedded';
  /** Of a role that may do everything. Holds its password. */
  readonly adminUrl: string;
}

/** Starts the server of local tenants, unless it runs. */
export async function startPostgres(context: Context, kind: 'docker' | 'embedded'): Promise<RunningPostgres> {
  const { signal } = context;
  if (kind === 'docker') {
    const { startDockerPostgres } = await import('@sp/local-postgres');
    const image = context.env['SYSTEMPROMPT_POSTGRES_IMAGE'];
    const name = context.env['SYSTEMPROMPT_POSTGRES_CONTAINER'];
    const { adminUrl } = await startDockerPostgres({ folder: dockerFolder(context), image, name, signal });
    return { kind, adminUrl };
  }
  const { keepEmbeddedPostgres } = await import('@sp/management-api').catch(() => {
    throw new CliError('SP_CLI_LOCAL_NOT_INSTALLED', 'The package @sp/management-api is not installed');
  });
  const { url } = await keepEmbeddedPostgres({ dataDir: embeddedFolder(context), signal });
  return { kind, adminUrl: url };
}

/** Stops the server without Docker; it starts again when it is needed. */
export async function stopEmbedded(context: Context): Promise<void> {
  const { stopEmbeddedPostgres } = await import('@sp/management-api');
  await stopEmbeddedPostgres({ dataDir: embeddedFolder(context) });
}

/** Which server a tenant's database is on. */
export async function postgresOf(context: Context, tenant: StoredTenant): Promise<PostgresKind> {
  if (tenant.sharedContainerDb !== undefined) return 'docker';
  const url = tenant.databaseUrl ?? '';
  return (await isEmbedded(context, url)) ? 'embedded' : 'external';
}

// By its port, which it keeps.
async function isEmbedded(context: Context, url: string): Promise<boolean> {
  if (!URL.canParse(url) || new URL(url).hostname !== '127.0.0.1') return false;
  const port = await readFile(join(embeddedFolder(context), 'postgres-port'), 'utf8').catch(() => '');
  return port.trim() !== '' && new URL(url).port === port.trim();
}

/** Which of the servers that we run a URL leads to; `undefined` for one of the person's own, or in the cloud. */
export async function ownServer(context: Context, url: string): Promise<'docker' | 'embedded' | undefined> {
  if (!URL.canParse(url)) return undefined;
  const { hostname, port } = new URL(url);
  if (!['127.0.0.1', 'localhost'].includes(hostname)) return undefined;
  const text = await readPrivateFile(join(dockerFolder(context), 'shared_config.json'));
  try {
    if ((JSON.parse(text ?? '{}') as { port?: unknown }).port === Number(port || 5432)) return 'docker';
  } catch {
    // What the file holds is for those to refuse who need it.
  }
  return (await isEmbedded(context, url)) ? 'embedded' : undefined;
}

/** Where the compose file and the password of the server in Docker are. */
export function dockerFolder(context: Context): string {
  return join(dirname(context.requireProject().localTenants), 'docker');
}

function embeddedFolder(context: Context): string {
  return join(dirname(defaultDataDirectory(context.env)), 'postgres');
}
