import type { ProfilePaths } from '@sp/paths';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { shellWord } from '../shell-words.ts';
import { profileNameOf } from './name-of.ts';

/** A profile of the project, which may be unusable. */
export interface FoundProfile {
  readonly name: string;
  readonly paths: ProfilePaths;
}

/**
 * The profile of this name; without one that of `SYSTEMPROMPT_PROFILE`, the only one, or the one that the person picks.
 *
 * @throws {CliError} `SP_CLI_PROFILE_NOT_FOUND`, `SP_CLI_INPUT_NEEDED`
 */
export async function findProfile(context: Context, name: string | undefined, verb: string): Promise<FoundProfile> {
  const { listProfiles } = await import('@sp/tenants');
  const project = context.requireProject();
  const available = (await listProfiles(project.profilesDir)).map((profile) => profile.name);
  const named = name ?? (context.env['SYSTEMPROMPT_PROFILE'] || undefined);
  const wanted = named === undefined ? await pick(context, available, verb) : await profileNameOf(context, named);
  const paths = project.profile(wanted);
  if (available.includes(wanted)) return { name: wanted, paths };
  throw new CliError('SP_CLI_PROFILE_NOT_FOUND', `There is no profile ${wanted}`, { path: paths.config, available });
}

/**
 * The profile of this name, or the one that the person picks, even when there is one only: nobody shall lose what they
 * did not name.
 *
 * @throws {CliError} `SP_CLI_PROFILE_NOT_FOUND`, `SP_CLI_INPUT_NEEDED`
 */
export async function nameProfile(context: Context, name: string | undefined, verb: string): Promise<FoundProfile> {
  if (name !== undefined) return findProfile(context, name, verb);
  const { listProfiles } = await import('@sp/tenants');
  const available = (await listProfiles(context.requireProject().profilesDir)).map((profile) => profile.name);
  return findProfile(context, await pick(context, available, verb, { always: true }), verb);
}

async function pick(
  context: Context,
  available: readonly string[],
  verb: string,
  { always = false } = {},
): Promise<string> {
  const [only] = available;
  if (only === undefined)
    throw new CliError('SP_CLI_PROFILE_NOT_FOUND', 'This project has no profile yet', { available });
  if (available.length === 1 && !always) return only;
  if (!context.interactive) {
    const next = available.map((name) => `${context.bin} cloud profile ${verb} ${shellWord(name)}`);
    const count = available.length === 1 ? 'is 1 profile: is it meant' : `are ${available.length} profiles: which one`;
    throw new CliError('SP_CLI_INPUT_NEEDED', `There ${count}?`, {
      next,
      available,
    });
  }
  const { askSelect } = await import('../prompts.ts');
  return askSelect({ message: 'Which profile?', options: available.map((value) => ({ value, label: value })) });
}
