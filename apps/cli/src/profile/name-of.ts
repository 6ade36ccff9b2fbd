import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';

/**
 * The name of the profile that a name or a path means: `production`, `.systemprompt/profiles/production`, or the
 * `profile.yaml` in it.
 *
 * @throws {TenantsError} `SP_PROFILE_NOT_FOUND` for a path without a profile
 * @throws {CliError} `SP_CLI_PROFILE_NOT_FOUND` for a profile of another project
 */
export async function profileNameOf(context: Context, value: string): Promise<string> {
  if (!/[/\\]|^[.~]|\.ya?ml$/.test(value)) return value;
  const { resolveActiveProfile } = await import('@sp/tenants');
  const { cwd, env, project } = context;
  const { profilesDir: profilesDirectory } = project;
  const home = env['HOME'] || env['USERPROFILE'] || undefined;
  const active = await resolveActiveProfile({ requested: value, env, profilesDirectory, from: cwd, home });
  const path = active.kind === 'found' ? active.path : value;
  const folder = dirname(await realpath(path));
  if (dirname(folder) === (await realpath(profilesDirectory).catch(() => undefined))) return basename(folder);
  throw new CliError('SP_CLI_PROFILE_NOT_FOUND', `The profile ${path} is not one of this project`, { path });
}
