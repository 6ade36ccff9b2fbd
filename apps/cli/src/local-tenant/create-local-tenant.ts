import type { ProjectContext } from '@sp/paths';
import type { StoredTenant } from '@sp/tenants';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { answerAll, askSecret, askSelect, askText } from '../prompts.ts';
import type { KeptTenant } from '../tenant-create/keep.ts';
import { dockerFolder, type PostgresKind, startPostgres } from './postgres-of.ts';

/** What was said about a new local tenant. */
export interface LocalTenantFlags {
  readonly name?: string | undefined;
  readonly profile?: string | undefined;
  readonly database?: string | undefined;
  readonly 'database-url-stdin': boolean;
}

/** A local tenant with its profile, and where its database is. */
export interface LocalTenant extends KeptTenant {
  readonly database: PostgresKind;
}

/** Oldest server that a tenant runs with. */
const oldestServer = 14;

/**
 * Makes a tenant on this computer: a database, a profile, an entry in the store; last the entry, so that what is in the
 * store is whole.
 */
export async function createLocalTenant(
  flags: LocalTenantFlags,
  { context, project, bin }: { context: Context; project: ProjectContext; bin: string },
): Promise<LocalTenant> {
  const command = `${bin} cloud tenant create --type local`;
  const [name] = await answerAll(
    [
      {
        flag: 'name',
        value: flags.name,
        ask: () => askText({ message: 'Name of the tenant', initialValue: 'local', validate: checkName }),
      },
    ] as const,
    { interactive: context.interactive, command, next: () => Promise.resolve([`${command} --name local`]) },
  );
  if (checkName(name) !== undefined) throw new CliError('SP_CLI_USAGE', '--name must not be empty');
  const profileName = flags.profile ?? name;
  if (project.profileExists(profileName)) {
    const path = project.profile(profileName).dir;
    throw new CliError('SP_CLI_PROFILE_EXISTS', `The profile ${profileName} exists already`, { path });
  }
  const database = await chooseDatabase(flags, context);
  const { createProfile, upsertTenant } = await import('@sp/tenants');
  const { tenant, undo } = await makeTenant(context, { flags, name, database });
  try {
    const directory = project.profile(profileName).dir;
    const { profilePath } = await createProfile({ directory, name: profileName, tenant, projectRoot: project.root });
    await upsertTenant(project.localTenants, tenant);
    return { tenant: { id: tenant.id, name }, profile: { name: profileName, path: profilePath }, database };
  } catch (error) {
    await undo().catch(() => undefined);
    throw error;
  }
}

async function chooseDatabase(flags: LocalTenantFlags, context: Context): Promise<PostgresKind> {
  if (flags['database-url-stdin'] || flags.database === 'external') return 'external';
  if (flags.database === 'docker' || flags.database === 'embedded') return flags.database;
  const { canUseDocker } = await import('@sp/local-postgres');
  const usual = (await canUseDocker({ signal: context.signal })) ? 'docker' : 'embedded';
  if (!context.interactive) return usual;
  const chosen = await askSelect({
    message: 'Which Postgres?',
    options: [
      { value: 'docker', label: 'One in Docker', hint: 'made and kept by this tool' },
      { value: 'embedded', label: 'One without Docker', hint: 'made and kept by this tool' },
      { value: 'external', label: 'One of your own', hint: 'by its URL' },
    ],
    initialValue: usual,
  });
  return chosen === 'docker' || chosen === 'embedded' ? chosen : 'external';
}

async function makeTenant(
  context: Context,
  request: { readonly flags: LocalTenantFlags; readonly name: string; readonly database: PostgresKind },
): Promise<{ readonly tenant: StoredTenant; undo(): Promise<void> }> {
  const { flags, name, database } = request;
  const { newLocalTenant, newSharedLocalTenant } = await import('@sp/tenants');
  if (database === 'external') {
    const tenant = newLocalTenant({ name, databaseUrl: await externalUrl(flags, context) });
    return { tenant, undo: () => Promise.resolve() };
  }
  const { createTenantDatabase, databaseName, dropTenantDatabase, forgetTenantDatabase, recordTenantDatabase } =
    await import('@sp/local-postgres');
  const { signal } = context;
  const step = context.progress.step('database', `Making a database for ${name}`);
  try {
    const adminUrl = await startPostgres(context, database);
    const suffix = Date.now().toString(16);
    const own = databaseName(name, suffix);
    const databaseUrl = await createTenantDatabase(adminUrl, { name: own, signal });
    const id = `local_${suffix}`;
    const folder = dockerFolder(context);
    if (database === 'docker') await recordTenantDatabase(folder, { tenantId: id, databaseName: own });
    step.done(`Made the database ${own}`);
    const tenant =
      database === 'docker'
        ? newSharedLocalTenant({ id, name, databaseUrl, sharedContainerDb: own })
        : newLocalTenant({ id, name, databaseUrl });
    const undo = async (): Promise<void> => {
      await dropTenantDatabase(adminUrl, { name: own });
      if (database === 'docker') await forgetTenantDatabase(folder, id);
    };
    return { tenant, undo };
  } catch (error) {
    step.fail();
    throw error;
  }
}

/** The URL of a Postgres of the person's own, tried: nothing is made for one that cannot be used. */
export async function externalUrl(
  flags: { readonly 'database-url-stdin': boolean },
  context: Context,
): Promise<string> {
  const url = (flags['database-url-stdin'] ? await context.readStdin() : await givenUrl(context)).trim();
  const { describeDatabase } = await import('@sp/database');
  const { signal } = context;
  const found = await context.awaitAnswer('the database', () => describeDatabase(url, { signal }));
  const where = `${found.host}:${found.port}/${found.database}`;
  if (found.serverMajor < oldestServer) {
    const message = `${where} is Postgres ${found.serverVersion}; a tenant needs ${oldestServer} or newer`;
    throw new CliError('SP_CLI_DATABASE_UNSUITABLE', message);
  }
  if (!found.canCreateTables) {
    throw new CliError('SP_CLI_DATABASE_UNSUITABLE', `The role ${found.user} may not make tables in ${where}`);
  }
  return url;
}

async function givenUrl(context: Context): Promise<string> {
  const given = context.env['SYSTEMPROMPT_DATABASE_URL'];
  if (given) return given;
  if (context.interactive) return await askSecret('URL of the database (postgres://user:password@host:5432/database)');
  throw new CliError('SP_CLI_INPUT_NEEDED', 'The URL of the database is needed, on stdin: it holds a password', {
    flags: ['--database-url-stdin'],
    next: ['systemprompt cloud tenant create --type local --name local --database-url-stdin <url.txt'],
  });
}

function checkName(name: string): string | undefined {
  return name.trim() === '' ? 'a name' : undefined;
}
