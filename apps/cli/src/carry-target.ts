import { readFileSync } from 'node:fs';
import type { Command, Interfaces } from '@oclif/core';
import type { Context } from './context.ts';
import { shellWord } from './shell-words.ts';

/** What a person chose on the command line: a command that they are told to run next has to be about the same. */
export interface ChosenTarget {
  readonly tenant?: string | undefined;
  readonly profile?: string | undefined;
  /** The tenant's id as far as it is known: for commands that take no profile. */
  readonly tenantId?: string | undefined;
  /** The one profile of the tenant, for commands that take no tenant. */
  readonly profileOfTenant?: string | undefined;
  readonly dataDir?: string | undefined;
  /** The API to log in to. */
  readonly environment?: string | undefined;
  /** The command that was run: where a value was missing, what else was given is still meant. */
  readonly again?: GivenLine | undefined;
}

/** A command line as it was given, without what chooses. */
export interface GivenLine {
  readonly id: string | undefined;
  readonly flags: readonly (readonly [string, ...string[]])[];
  /** Its arguments, besides a tenant's id. */
  readonly words?: readonly string[];
}

/** What is to be known of a command. */
export interface KnownCommand {
  readonly flags: Readonly<Record<string, { readonly env?: string | undefined }>>;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The variables of the flags that choose, by what they choose. */
const choosingVariables = {
  tenant: 'SYSTEMPROMPT_TENANT',
  profile: 'SYSTEMPROMPT_PROFILE',
  dataDir: 'SYSTEMPROMPT_LOCAL_DATA_DIR',
  environment: 'SYSTEMPROMPT_ENVIRONMENT',
} as const satisfies Partial<Record<keyof ChosenTarget, string>>;

/** Flags about how a command answers, and not about what it does. */
const presentation = new Set(['json', 'json-lines', 'non-interactive']);

/** What of a command line chooses; what the environment chooses, it chooses for the next one too. */
export function chosenTarget(
  parsed: Pick<Interfaces.ParserOutput, 'raw' | 'flags'> | undefined,
  { id, flags = {}, args = {} }: Partial<Pick<typeof Command, 'flags' | 'args' | 'id'>>,
): ChosenTarget {
  const chosen: Record<string, string> = {};
  const others: [string, ...string[]][] = [];
  const words: string[] = [];
  for (const token of parsed?.raw ?? []) {
    if (token.type === 'arg') {
      // What is none of the arguments by name may be a secret: `secrets set KEY=value`.
      if (!Object.hasOwn(args, token.arg)) continue;
      if (token.arg === 'id') chosen['tenant'] = token.input;
      else words.push(token.input);
      continue;
    }
    const flag = flags[token.flag];
    const choice = Object.entries(choosingVariables).find(([, name]) => name === flag?.env)?.[0];
    // A profile may be given as a path, and is known by its name since.
    const value: unknown = parsed?.flags[token.flag];
    if (choice !== undefined) chosen[choice] = typeof value === 'string' ? value : token.input;
    else if (flag?.type === 'boolean' && !presentation.has(token.flag)) others.push([token.input]);
    else if (flag?.type === 'option') others.push([`--${token.flag}`, token.input]);
  }
  return { ...chosen, again: { id, flags: others, words } };
}

/** The tenant of a profile and the one profile of a tenant, for commands that take only the other; as far as it can be told. */
export async function counterparts(
  context: Context,
  { profile, tenantId }: Pick<ChosenTarget, 'profile' | 'tenantId'>,
): Promise<Pick<ChosenTarget, 'tenantId' | 'profileOfTenant'>> {
  if (profile === undefined && tenantId === undefined) return {};
  const { listProjectProfiles } = await import('./profile-listing.ts');
  const profiles = await listProjectProfiles(context, context.project).catch(() => []);
  if (tenantId === undefined) return { tenantId: profiles.find(({ name }) => name === profile)?.tenantId };
  const [only, ...others] = profiles.filter((each) => each.tenantId === tenantId);
  return { tenantId, profileOfTenant: others.length === 0 ? only?.name : undefined };
}

/** The API that the project is logged in to, where a login without a flag would be one to another; else `undefined`. */
export function otherApi({ project }: Context): string | undefined {
  try {
    // What is left in a file that cannot be used any more is enough.
    const { api_url: url } = JSON.parse(readFileSync(project.localCredentials, 'utf8')) as { api_url?: unknown };
    if (typeof url !== 'string' || new URL(url).host === 'api.systemprompt.io') return undefined;
    return url;
  } catch {
    return undefined;
  }
}

/** `text` with what was chosen in each command line of this program in it that takes it and chooses nothing itself. */
export function carryTarget(
  text: string,
  target: ChosenTarget,
  findCommand: (words: readonly string[]) => KnownCommand | undefined,
): string {
  const lines = text.split(/(?=\bsystemprompt [a-z])/);
  return lines.map((line) => completeLine(line, target, findCommand)).join('');
}

function completeLine(
  line: string,
  target: ChosenTarget,
  findCommand: (words: readonly string[]) => KnownCommand | undefined,
): string {
  const [, typed] = /^systemprompt ((?:[a-z-]+)(?: [a-z-]+)*)/.exec(line) ?? [];
  const words = typed?.split(' ') ?? [];
  for (let length = words.length; length > 0; length -= 1) {
    const named = words.slice(0, length);
    const command = findCommand(named);
    if (command === undefined) continue;
    const start = `systemprompt ${named.join(' ')}`;
    const rest = line.slice(start.length);
    // A checkout or a deploy that is taken up is what it was.
    const isAgain = target.again?.id === named.join(':') && !/ --resume\b/.test(rest);
    const given = isAgain ? [...wordsOf(target.again, rest), ...flagsOf(target.again, rest)] : [];
    const added = [...choiceOf(command, target, rest), ...given.map((word) => shellWord(word))];
    return `${start}${added.map((word) => ` ${word}`).join('')}${rest}`;
  }
  return line;
}

/** The arguments, where the line has none of its own. */
function wordsOf({ words = [] }: GivenLine, rest: string): readonly string[] {
  const hasOwn = /^ [^-\s]/.test(rest) || words.some((word) => hasWord(rest, shellWord(word)));
  return hasOwn ? [] : words;
}

function flagsOf({ flags }: GivenLine, rest: string): readonly string[] {
  return flags.filter(([flag]) => !hasWord(rest, flag)).flat();
}

function hasWord(line: string, word: string): boolean {
  return ` ${line} `.includes(` ${word} `);
}

/** The words to put between a command and the rest of its line. */
function* choiceOf(command: KnownCommand, target: ChosenTarget, rest: string): Generator<string> {
  const flagOf = (choice: keyof typeof choosingVariables): string | undefined =>
    Object.keys(command.flags).find((name) => command.flags[name]?.env === choosingVariables[choice]);
  const given = (choice: keyof typeof choosingVariables, value: string | undefined): readonly string[] => {
    const flag = flagOf(choice);
    return flag === undefined || value === undefined ? [] : [`--${flag}`, shellWord(value)];
  };
  if (!hasWord(rest, '--environment')) yield* given('environment', target.environment);
  if (!hasWord(rest, '--data-dir')) yield* given('dataDir', target.dataDir);
  // One that is for a certain tenant already.
  if (['--tenant', '--tenant-id', '--profile', '-p'].some((flag) => hasWord(rest, flag))) return;
  const { tenant, profile } = target;
  const byProfile = given('profile', profile ?? (flagOf('tenant') === undefined ? target.profileOfTenant : undefined));
  yield* given('tenant', byProfile.length > 0 ? tenant : (tenant ?? target.tenantId));
  yield* byProfile;
  // `tenant edit ID`: an argument of that name is a tenant's.
  const id = tenant ?? target.tenantId;
  const isGiven = /^ [^-\s]/.test(rest);
  if (id !== undefined && Object.hasOwn(command.args, 'id') && !isGiven) yield shellWord(id);
}
