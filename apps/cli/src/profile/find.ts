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

async function pick(context: Context, available: readonly string[], verb: string): Promise<string> {
  const [only] = available;
  if (only === undefined)
    throw new CliError('SP_CLI_PROFILE_NOT_FOUND', 'This project has no profile yet', { available });
  if (available.length === 1) return only;
  if (!context.interactive) {
    const next = available.map((name) => `${context.bin} cloud profile ${verb} ${shellWord(name)}`);
    throw new CliError('SP_CLI_INPUT_NEEDED', `There are ${available.length} profiles: which one?`, {
      next,
      available,
    });
  }
  const { askSelect } = await import('../prompts.ts');
  return askSelect({ message: 'Which profile?', options: available.map((value) => ({ value, label: value })) });
}
