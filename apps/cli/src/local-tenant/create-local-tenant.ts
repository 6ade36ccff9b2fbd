import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProjectContext } from '@sp/paths';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { listProjectProfiles } from '../profile-listing.ts';
import { answerAll, askSecret, askSelect, askText } from '../prompts.ts';
import { shellWord } from '../shell-words.ts';
import type { KeptTenant } from '../tenant-create/keep.ts';
import { dropOwnDatabase, isOwn, makeOwnDatabase } from './own-database.ts';
import { type PostgresKind, startPostgres } from './postgres-of.ts';
import { changeUnfinished, listUnfinished, type UnfinishedTenant } from './unfinished-tenants.ts';

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
 * store is whole. That it is about to be made is written first: when this is killed at any moment, the same command goes
 * on with what there is.
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
  const left = (await listUnfinished(project)).find((each) => each.name === name);
  const profileName = flags.profile ?? left?.profileName ?? name;
  await refuseProfile(context, { project, profileName, left });
  const database = await chooseDatabase(flags, { context, left });
  refuseOther(left, { profileName, database });
  // Before others have to wait for it, and before there is anything that is not finished.
  const source = database === 'external' ? await externalUrl(flags, context) : await startServer(context, database);
  return await changeUnfinished(context, async (unfinished) => {
    const begun = unfinished.find(name);
    const hasProfile = await refuseProfile(context, { project, profileName, left: begun });
    refuseOther(begun, { profileName, database });
    const tenant = begun ?? (await begin({ name, profileName, database }));
    if (begun === undefined) await unfinished.keep(tenant);
    const made = await finish(context, { tenant, source, hasProfile }).catch(async (error: unknown) => {
      // What an earlier run left stays as it was, and what cannot be deleted now stays known.
      if (begun !== undefined) throw error;
      const dropped = isOwn(tenant) ? dropOwnDatabase(context, { tenant, adminUrl: source }) : Promise.resolve();
      await dropped.then(() => unfinished.forget(tenant.id)).catch(() => undefined);
      throw error;
    });
    await unfinished.forget(tenant.id);
    return made;
  });
}

async function startServer(context: Context, kind: 'docker' | 'embedded'): Promise<string> {
  const step = context.progress.step('postgres', 'Starting the Postgres of local tenants');
  try {
    const adminUrl = await startPostgres(context, kind);
    step.done();
    return adminUrl;
  } catch (error) {
    step.fail();
    throw error;
  }
}

async function begin(options: Pick<UnfinishedTenant, 'name' | 'profileName' | 'database'>): Promise<UnfinishedTenant> {
  const { name, database } = options;
  const suffix = Date.now().toString(16);
  const tenant = { ...options, id: `local_${suffix}` };
  if (database === 'external') return tenant;
  const { databaseName } = await import('@sp/local-postgres');
  return { ...tenant, databaseName: databaseName(name, suffix) };
}

/** Makes what there is not yet. Repeating it changes nothing but the password. */
async function finish(
  context: Context,
  options: {
    readonly tenant: UnfinishedTenant;
    /** URL of the server's administrator, or of the database of the person's own. */
    readonly source: string;
    readonly hasProfile: boolean;
  },
): Promise<LocalTenant> {
  const { tenant, source, hasProfile } = options;
  const { id, name, profileName, database } = tenant;
  const project = context.requireProject();
  const { createProfile, editSecrets, newLocalTenant, upsertTenant } = await import('@sp/tenants');
  const step = context.progress.step('database', `Making the tenant ${name}`);
  try {
    await removeDrafts(project.profilesDir, profileName);
    const made = isOwn(tenant)
      ? await makeOwnDatabase(context, { tenant, adminUrl: source })
      : newLocalTenant({ id, name, databaseUrl: source });
    const { dir: directory, config, secrets } = project.profile(profileName);
    if (hasProfile) {
      await editSecrets(secrets, { database_url: made.databaseUrl, external_database_url: made.databaseUrl });
    } else await createProfile({ directory, name: profileName, tenant: made, projectRoot: project.root });
    await upsertTenant(project.localTenants, made);
    step.done(tenant.databaseName === undefined ? undefined : `Made the database ${tenant.databaseName}`);
    return { tenant: { id, name }, profile: { name: profileName, path: config }, database };
  } catch (error) {
    step.fail();
    throw error;
  }
}

/** What a profile is made in before it has its name; one that was killed leaves it behind, with a password that opened. */
async function removeDrafts(profiles: string, name: string): Promise<void> {
  const ours = new RegExp(`^\\.${name}\\.[0-9a-f-]{36}$`);
  for (const each of await readdir(profiles).catch(() => [])) {
    if (ours.test(each)) await rm(join(profiles, each), { recursive: true, force: true });
  }
}

/** Whether the profile is there already, made for the unfinished tenant itself; one of anybody else is in the way. */
async function refuseProfile(
  context: Context,
  options: {
    readonly project: ProjectContext;
    readonly profileName: string;
    readonly left: UnfinishedTenant | undefined;
  },
): Promise<boolean> {
  const { project, profileName, left } = options;
  if (!project.profileExists(profileName)) return false;
  const profiles = left === undefined ? [] : await listProjectProfiles(context, project);
  if (profiles.some(({ name, tenantId }) => name === profileName && tenantId === left?.id)) return true;
  const path = project.profile(profileName).dir;
  throw new CliError('SP_CLI_PROFILE_EXISTS', `The profile ${profileName} exists already`, { path });
}

function refuseOther(
  left: UnfinishedTenant | undefined,
  { profileName, database }: { readonly profileName: string; readonly database: PostgresKind },
): void {
  if (left === undefined || (left.profileName === profileName && left.database === database)) return;
  const begun = `--database ${left.database} --profile ${shellWord(left.profileName)}`;
  const message = `The tenant ${left.name} was begun with ${begun}, and is not finished: repeat that, or delete it`;
  throw new CliError('SP_CLI_USAGE', message);
}

async function chooseDatabase(
  flags: LocalTenantFlags,
  { context, left }: { readonly context: Context; readonly left: UnfinishedTenant | undefined },
): Promise<PostgresKind> {
  if (flags['database-url-stdin'] || flags.database === 'external') return 'external';
  if (flags.database === 'docker' || flags.database === 'embedded') return flags.database;
  if (left !== undefined) return left.database;
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
