import { randomInt, randomUUID } from 'node:crypto';
import { lstat, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { replacePrivateFile } from '@sp/private-file';
import { isMaskedDatabaseUrl } from '../store/database-url.ts';
import type { StoredTenant } from '../store/stored-tenant.ts';
import { localDatabaseUrl } from '../store/tenant-database.ts';
import { listFindings, TenantsError, type TenantsFinding } from '../tenants-error.ts';
import { displayName, newProfile } from './new-profile.ts';

/** Secrets for a new profile; the one-time credentials of a tenant fit. */
export interface ProfileSecrets {
  /** What the tenant signs its tokens with; at least 32 bytes. @defaultValue 64 random letters and digits */
  readonly jwtSecret?: string | undefined;
  /** Left out of the file when absent. */
  readonly geminiApiKey?: string | undefined;
  /** Left out of the file when absent. */
  readonly anthropicApiKey?: string | undefined;
  /** Left out of the file when absent. */
  readonly openaiApiKey?: string | undefined;
}

/** What {@link createProfile} creates. */
export interface CreateProfileOptions {
  /** The profile's folder: `<project>/.systemprompt/profiles/<name>`. */
  readonly directory: string;
  /** Letters, digits, `_` and `-`. */
  readonly name: string;
  /** With a database URL, see `withCredentials`. Its type decides for what target the profile is. */
  readonly tenant: StoredTenant;
  /** What `secrets.json` gets besides the database's address. */
  readonly secrets?: ProfileSecrets | undefined;
  /** Gets a `storage` folder when it has none. */
  readonly projectRoot: string;
  /** Where a local profile's services are. @defaultValue `<projectRoot>/services` */
  readonly servicesPath?: string | undefined;
  /** Whether a cloud tenant is reached over https; a cloud on one's own computer speaks http. @defaultValue true */
  readonly useHttps?: boolean | undefined;
}

/** Where the files of a new profile are. */
export interface CreatedProfile {
  /** As given. */
  readonly name: string;
  /** Its `profile.yaml`. */
  readonly profilePath: string;
  /** Its `secrets.json`, for the owner only (0600). */
  readonly secretsPath: string;
}

/**
 * Makes a profile for a tenant: `profile.yaml` and, private, `secrets.json`. The folder appears complete or not
 * at all; one that exists is never changed.
 *
 * @throws {@link TenantsError} `SP_PROFILE_EXISTS`, `SP_PROFILE_INVALID` (name, or no database URL),
 * `SP_PROFILE_UNWRITABLE`
 */
export async function createProfile(options: CreateProfileOptions): Promise<CreatedProfile> {
  const { directory, name, tenant, secrets = {}, projectRoot } = options;
  const findings = checkOptions(options);
  if (findings.length > 0) {
    const message = `Cannot create the profile ${JSON.stringify(name)}: ${listFindings(findings)}`;
    throw new TenantsError('SP_PROFILE_INVALID', message, { path: directory, findings });
  }
  // In a folder of its own first: a rename is the only way to make two files appear at once.
  const draft = join(dirname(directory), `.${name}.${randomUUID()}`);
  try {
    await mkdir(draft, { recursive: true, mode: 0o700 });
    await writeFile(join(draft, '.gitignore'), 'secrets.json\n');
    await replacePrivateFile(join(draft, 'secrets.json'), secretsText(tenant, secrets), { gitignore: false });
    await writeFile(join(draft, 'profile.yaml'), await profileText(options));
    await mkdir(join(projectRoot, 'storage'), { recursive: true });
    await publish(draft, directory);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (error instanceof TenantsError) throw error;
    const why = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new TenantsError('SP_PROFILE_UNWRITABLE', `Cannot create ${directory}: ${why}`, { path: directory });
  }
  return { name, profilePath: join(directory, 'profile.yaml'), secretsPath: join(directory, 'secrets.json') };
}

/** The rename fails when there is something in the folder already, also when another process was just faster. */
async function publish(draft: string, directory: string): Promise<void> {
  const exists = (): TenantsError =>
    new TenantsError('SP_PROFILE_EXISTS', `There is a profile already: ${directory}`, { path: directory });
  const there = await lstat(directory).catch(() => undefined);
  if (there !== undefined) throw exists();
  await rename(draft, directory).catch((error: NodeJS.ErrnoException) => {
    throw ['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EPERM'].includes(error.code ?? '') ? exists() : error;
  });
}

async function profileText(options: CreateProfileOptions): Promise<string> {
  const { name, tenant, projectRoot, servicesPath, useHttps = true } = options;
  const system = resolve(projectRoot);
  const services = servicesPath === undefined ? join(system, 'services') : resolve(system, servicesPath);
  const folders = { system, services, bin: await binFolder(system), storage: join(system, 'storage') };
  // Loaded here and not at the top: those who only read tenants pay nothing for YAML.
  const { stringify } = await import('yaml');
  const yaml = stringify(newProfile({ name, tenant, folders, useHttps }), {
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
  return `# SystemPrompt profile: ${displayName(name)}\n# Written by SystemPrompt Cloud. Edit it freely.\n\n${yaml}`;
}

/** Whichever build is newer; the release when there is none yet. */
async function binFolder(projectRoot: string): Promise<string> {
  const builtAt = async (kind: string): Promise<number> =>
    stat(join(projectRoot, 'target', kind, 'systemprompt')).then(
      (stats) => stats.mtimeMs,
      () => 0,
    );
  const kind = (await builtAt('debug')) > (await builtAt('release')) ? 'debug' : 'release';
  return join(projectRoot, 'target', kind);
}

/** Members and their order are the predecessor's. */
function secretsText(tenant: StoredTenant, secrets: ProfileSecrets): string {
  const url = localDatabaseUrl(tenant);
  const members = {
    jwt_secret: secrets.jwtSecret ?? randomText(64),
    database_url: url,
    external_database_url: url,
    gemini: secrets.geminiApiKey ?? null,
    anthropic: secrets.anthropicApiKey ?? null,
    openai: secrets.openaiApiKey ?? null,
    // Left out by JSON when the tenant has none.
    internal_database_url: tenant.internalDatabaseUrl,
    sync_token: tenant.syncToken,
  };
  return JSON.stringify(members, undefined, 2);
}

function checkOptions({ name, tenant }: CreateProfileOptions): readonly TenantsFinding[] {
  const url = localDatabaseUrl(tenant);
  const findings: TenantsFinding[] = [];
  if (!/^[A-Za-z0-9_-]+$/.test(name)) findings.push({ member: 'name', problem: 'must be letters, digits, `_` or `-`' });
  if (!url) findings.push({ member: 'tenant.databaseUrl', problem: 'is missing' });
  // Such a file would make the tenant start with a URL that opens nothing.
  else if (isMaskedDatabaseUrl(url)) findings.push({ member: 'tenant.databaseUrl', problem: 'is masked' });
  return findings;
}

function randomText(length: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, () => letters.charAt(randomInt(letters.length))).join('');
}
