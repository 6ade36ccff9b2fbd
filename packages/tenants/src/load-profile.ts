import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { Profile, ProfileListing } from './profile.ts';
import { profileSchema } from './profile-schema.ts';
import { listFindings, TenantsError, type TenantsFinding } from './tenants-error.ts';

/** What a profile may refer to. */
export interface LoadProfileOptions {
  /** Where `${NAME}` in the file comes from; names that are not in it stay as they are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `~/` in `secrets.secrets_path` means. @defaultValue the user's home folder */
  readonly home?: string | undefined;
}

/**
 * Reads a `profile.yaml`: variables filled in, relative paths resolved against its folder. What comes out is for reading
 * only: writing it back would freeze both.
 *
 * @throws {@link TenantsError} `SP_PROFILE_NOT_FOUND`, `SP_PROFILE_INVALID` with everything that is wrong
 * @example
 * const profile = await loadProfile('/home/ada/site/.systemprompt/profiles/production/profile.yaml', { env: {} });
 */
export async function loadProfile(path: string, options: LoadProfileOptions): Promise<Profile> {
  const { env, home = homedir() } = options;
  const text = await readText(path);
  const filled = text.replace(/\$\{([A-Za-z0-9_]+)\}/g, (whole, name: string) => env[name] ?? whole);
  const parsed = profileSchema.safeParse(parseYaml(filled, path));
  if (!parsed.success) {
    throw invalid(
      path,
      parsed.error.issues.map((issue) => ({ member: issue.path.join('.'), problem: problemOf(issue) })),
    );
  }
  const { display_name, database, server, paths, cloud, secrets, ...same } = parsed.data;
  const directory = dirname(resolve(path));
  const absolute = async (value: string): Promise<string> => {
    const joined = isAbsolute(value) ? value : join(directory, value);
    return isAbsolute(value) ? value : realpath(joined).catch(() => joined);
  };
  const optional = async (value: string | undefined): Promise<string | undefined> =>
    value === undefined ? undefined : absolute(value);
  return {
    path,
    ...same,
    displayName: display_name,
    database: { type: database.type, externalDbAccess: database.external_db_access },
    server: {
      host: server.host,
      port: server.port,
      apiServerUrl: server.api_server_url,
      apiInternalUrl: server.api_internal_url,
      apiExternalUrl: server.api_external_url,
      useHttps: server.use_https,
      corsAllowedOrigins: server.cors_allowed_origins,
    },
    paths: {
      system: await absolute(paths.system),
      services: await absolute(paths.services),
      bin: await absolute(paths.bin),
      webPath: await optional(paths.web_path),
      storage: await optional(paths.storage),
      geoipDatabase: await optional(paths.geoip_database),
    },
    cloud: cloud ? { tenantId: cloud.tenant_id, validation: cloud.validation } : undefined,
    secrets: secrets
      ? { secretsPath: resolve(directory, secrets.secrets_path.replace(/^~(?=\/)/, home)), source: secrets.source }
      : undefined,
  };
}

/** The profiles in a `.systemprompt/profiles` folder, sorted by name; none when there is no such folder. */
export async function listProfiles(profilesDirectory: string): Promise<readonly ProfileListing[]> {
  const names = await readdir(profilesDirectory).catch((): string[] => []);
  const isFile = async (path: string): Promise<boolean> =>
    stat(path).then(
      (stats) => stats.isFile(),
      () => false,
    );
  const profiles: ProfileListing[] = [];
  // Folders of profiles that are just being made start with a dot.
  for (const name of names.filter((name) => !name.startsWith('.')).toSorted()) {
    const path = join(profilesDirectory, name, 'profile.yaml');
    const hasSecrets = await isFile(join(profilesDirectory, name, 'secrets.json'));
    if (await isFile(path)) profiles.push({ name, path, hasSecrets });
  }
  return profiles;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    if (code === 'ENOENT') throw new TenantsError('SP_PROFILE_NOT_FOUND', `No profile ${path}`, { path });
    throw invalid(path, [{ member: 'file', problem: `cannot be read (${code})` }]);
  }
}

function parseYaml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch {
    // The reason quotes the text, which may hold values of the environment by now.
    throw invalid(path, [{ member: 'file', problem: 'is not YAML' }]);
  }
}

function problemOf(issue: { readonly code?: string | undefined; readonly message: string }): string {
  if (issue.code === 'invalid_type') return 'is missing or of the wrong type';
  return issue.message.startsWith('must') ? issue.message : 'has an invalid value';
}

function invalid(path: string, findings: readonly TenantsFinding[]): TenantsError {
  return new TenantsError('SP_PROFILE_INVALID', `Invalid profile ${path}: ${listFindings(findings)}`, {
    path,
    findings,
  });
}
