import type { StoredTenant } from '@sp/tenants';
import { CliError } from '../cli-error.ts';
import { confirmByName } from '../confirm.ts';
import type { Context } from '../context.ts';
import { shellWord } from '../shell-words.ts';
import { forgetTenant } from '../tenant/forget.ts';
import { dropOwnDatabase, isOwn, type OwnTenant } from './own-database.ts';
import { postgresOf, startPostgres } from './postgres-of.ts';
import { stopTenantPostgres } from './tenant-postgres.ts';
import { changeUnfinished, type UnfinishedTenant } from './unfinished-tenants.ts';

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
  if (kind !== 'external' && data === 'delete') {
    const url = tenant.databaseUrl ?? '';
    const databaseName = tenant.sharedContainerDb ?? decodeURIComponent(new URL(url).pathname.slice(1));
    await dropDatabase(context, { id, database: kind, databaseName });
  }
  const project = context.requireProject();
  const profiles = await forgetTenant(context, { id, project });
  return { profiles, database: data === 'delete' ? 'deleted' : 'kept' };
}

/** Deletes what there is of a local tenant whose making was broken off. Nobody has put anything into its database. */
export async function deleteUnfinishedTenant(
  tenant: UnfinishedTenant,
  options: {
    readonly context: Context;
    readonly flags: { readonly confirm?: string | undefined };
    /** The command line, without the tenant. */
    readonly command: string;
  },
): Promise<{ readonly profiles: readonly string[]; readonly database: 'kept' | 'deleted' }> {
  const { context, flags, command } = options;
  const { id, name } = tenant;
  const warning = `The local tenant ${name} was not finished. Deleting it destroys its database.`;
  await confirmByName(context, { name, given: flags.confirm, warning, command: `${command} ${shellWord(id)}` });
  return await changeUnfinished(context, async (unfinished) => {
    const left = unfinished.find(id);
    if (left === undefined)
      throw new CliError('SP_CLI_USAGE', `The tenant ${name} is finished by now: nothing was deleted`);
    if (isOwn(left)) await dropDatabase(context, left);
    await unfinished.forget(id);
    const profiles = await forgetTenant(context, { id, project: context.requireProject() });
    return { profiles, database: isOwn(left) ? 'deleted' : 'kept' };
  });
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
  tenant: Pick<OwnTenant, 'id' | 'database' | 'databaseName'>,
): Promise<void> {
  const { signal } = context;
  const { listDatabases } = await import('@sp/local-postgres');
  const step = context.progress.step('database', `Deleting the database ${tenant.databaseName}`);
  try {
    const adminUrl = await startPostgres(context, tenant.database);
    await dropOwnDatabase(context, { tenant, adminUrl, signal });
    step.done();
    // A server that nobody has a database on would run until the computer is switched off.
    if (tenant.database === 'embedded' && (await listDatabases(adminUrl)).length === 0) {
      await stopTenantPostgres(context.env);
    }
  } catch (error) {
    step.fail();
    throw error;
  }
}
