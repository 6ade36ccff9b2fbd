import type { Command } from '@oclif/core';
import { CliError } from './cli-error.ts';
import type { Context } from './context.ts';
import { shellWord } from './shell-words.ts';

/** The command line that lacks something. */
export interface IncompleteLine {
  readonly argv: readonly string[];
  readonly command: Partial<Pick<typeof Command, 'id' | 'args' | 'flags'>>;
}

/** Something that a command cannot do without. */
interface Missing {
  /** As it is called in the help: `DOMAIN`, `--to`. */
  readonly name: string;
  readonly description: string;
  /** What stands for its value in the help. */
  readonly placeholder: string;
  /** The words that give it. */
  readonly words: (value: string) => readonly string[];
}

/** Flags about how a command answers. */
const presentation = new Set(['--json', '--json-lines', '--non-interactive']);

/**
 * The command line with what oclif found missing, asked for one by one; `undefined` when `error` is about something else.
 *
 * @throws {CliError} `SP_CLI_INPUT_NEEDED` when nobody can be asked
 */
export async function completedLine(
  error: unknown,
  { argv, command }: IncompleteLine,
  context: Context,
): Promise<readonly string[] | undefined> {
  const missing = missingOf(error, command);
  if (missing.length === 0) return undefined;
  const start = `${context.bin} ${command.id?.replaceAll(':', ' ') ?? ''}`;
  if (!context.interactive) {
    const given = argv.filter((word) => !presentation.has(word)).map((word) => shellWord(word));
    const needed = missing.flatMap(({ placeholder, words }) => words(placeholder));
    const names = missing.map(({ name }) => name);
    throw new CliError('SP_CLI_INPUT_NEEDED', `\`${start}\` needs ${names.join(', ')}`, {
      flags: names,
      next: [[start, ...needed, ...given].join(' ')],
    });
  }
  const { askText } = await import('./prompts.ts');
  const added: string[] = [];
  for (const { name, description, words } of missing) {
    const message = `${name}: ${description}`;
    added.push(...words(await askText({ message, validate: (value) => (value === '' ? 'It is needed.' : undefined) })));
  }
  return [...added, ...argv];
}

/** oclif tells of arguments by their definitions, and of flags in sentences only. */
function missingOf(error: unknown, { args = {}, flags = {} }: IncompleteLine['command']): readonly Missing[] {
  if (!(error instanceof Error)) return [];
  if (/^Missing \d+ required arg/.test(error.message) && 'args' in error && Array.isArray(error.args)) {
    return error.args.map(({ name }: { readonly name: string }) => ({
      name: name.toUpperCase(),
      description: args[name]?.description ?? '',
      placeholder: name.toUpperCase(),
      words: (value) => [value],
    }));
  }
  return Object.entries(flags).flatMap(([name, flag]): readonly Missing[] => {
    if (!error.message.includes(`Missing required flag ${name}`)) return [];
    const { summary: description = '' } = flag;
    const placeholder = ('helpValue' in flag && String(flag.helpValue)) || 'VALUE';
    return [{ name: `--${name}`, description, placeholder, words: (value) => [`--${name}`, value] }];
  });
}
