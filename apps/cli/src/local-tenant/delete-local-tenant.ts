import type { StoredTenant } from '@sp/tenants';
import { CliError } from '../cli-error.ts';
import { confirmByName } from '../confirm.ts';
import type { Context } from '../context.ts';
import { shellWord } from '../shell-words.ts';
import { forgetTenant } from '../tenant/forget.ts';
import { dockerFolder, postgresOf, startPostgres } from './postgres-of.ts';
import { stopTenantPostgres } from './tenant-postgres.ts';

/** Takes a local tenant out of the store, and with it, when the person says so, its database. */
export async function deleteLocalTenant(
  tenant: StoredTenant,
  options: {
    readonly context: Context;
    readonly flags: { readonly confirm?: string | undefined; readonly data?: 'keep' | 'delete' | undefined };
    /** The command line, without the tenant. */
    readonly command: string;
  },
): Promise<{ readonly profiles: readonly string[]; readonly database: 'kept' | 'deleted' }> {
  const { context, flags, command } = options;
  const { id, name } = tenant;
  const kind = await postgresOf(context, tenant);
  const again = `${command} ${shellWord(id)}`;
  // A Postgres of the person's own is theirs.
  const data = kind === 'external' ? 'keep' : (flags.data ?? (await askData(context, { name, command: again })));
  if (kind === 'external' && flags.data === 'delete') {
    throw new CliError(
      'SP_CLI_USAGE',
      `The database of ${name} is on a Postgres of your own: it is not deleted from here`,
    );
  }
  if (data === 'delete') await refuseShared(context, tenant);
  const end = data === 'delete' ? ' and destroys its database' : '';
  const warning = `Deleting the local tenant ${name} takes it out of this project${end}.`;
  await confirmByName(context, { name, given: flags.confirm, warning, command: `${again} --data ${data}` });
  if (kind !== 'external' && data === 'delete') await dropDatabase(context, { tenant, kind });
  const project = context.requireProject();
  const profiles = await forgetTenant(context, { id, project });
  return { profiles, database: data === 'delete' ? 'deleted' : 'kept' };
}

/** A tenant can be made with the URL of another one: its database is not this one's to delete. */
async function refuseShared(context: Context, { id, name, databaseUrl }: StoredTenant): Promise<void> {
  const { loadTenants } = await import('@sp/tenants');
  const tenants = (await loadTenants(context.requireProject().localTenants))?.tenants ?? [];
  const where = placeOf(databaseUrl);
  const other = tenants.find((each) => each.id !== id && where !== undefined && placeOf(each.databaseUrl) === where);
  if (other === undefined) return;
  throw new CliError(
    'SP_CLI_USAGE',
    `The database of ${name} is that of ${other.name} too: it is not deleted from here`,
  );
}

function placeOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { hostname, port, pathname } = new URL(url);
  const host = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname) ? 'here' : hostname;
  return `${host}:${port || '5432'}${pathname}`;
}

async function askData(
  context: Context,
  { name, command }: { name: string; command: string },
): Promise<'keep' | 'delete'> {
  if (!context.interactive) {
    throw new CliError('SP_CLI_INPUT_NEEDED', `What is to happen to the database of ${name}?`, {
      flags: ['--data', '--confirm'],
      next: [
        `${command} --data keep --confirm ${shellWord(name)}`,
        `${command} --data delete --confirm ${shellWord(name)}`,
      ],
    });
  }
  const { askSelect } = await import('../prompts.ts');
  const options = [
    { value: 'keep', label: 'Keep its database' },
    { value: 'delete', label: 'Delete its database with everything in it' },
  ];
  return (await askSelect({ message: `What is to happen to the database of ${name}?`, options })) === 'delete'
    ? 'delete'
    : 'keep';
}

async function dropDatabase(
  context: Context,
  { tenant, kind }: { tenant: StoredTenant; kind: 'docker' | 'embedded' },
): Promise<void> {
  const { dropTenantDatabase, forgetTenantDatabase, listDatabases } = await import('@sp/local-postgres');
  const name = tenant.sharedContainerDb ?? decodeURIComponent(new URL(tenant.databaseUrl ?? '').pathname.slice(1));
  const step = context.progress.step('database', `Deleting the database ${name}`);
  try {
    const adminUrl = await startPostgres(context, kind);
    await dropTenantDatabase(adminUrl, { name, signal: context.signal });
    if (kind === 'docker') await forgetTenantDatabase(dockerFolder(context), tenant.id);
    step.done();
    // A server that nobody has a database on would run until the computer is switched off.
    if (kind === 'embedded' && (await listDatabases(adminUrl)).length === 0) await stopTenantPostgres(context.env);
  } catch (error) {
    step.fail();
    throw error;
  }
}
