import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodesOf } from './exit-codes-of.ts';
import { type SideEffects, sideEffects } from './side-effects.ts';

/** One command for programs. */
export interface CommandReference {
  /** The words: `cloud tenant list`. */
  readonly command: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly description: string;
  /** Whether help leaves it out: it is for other programs. */
  readonly hidden: boolean;
  readonly args: readonly ArgumentReference[];
  readonly flags: readonly FlagReference[];
  readonly effects: SideEffects | undefined;
  /** Exit codes that it can end with; what they mean is in `exit_codes` of the whole. */
  readonly exitCodes: readonly number[];
  /** The JSON Schema of what it answers under `--json`: a file of this package. */
  readonly schema: string;
}

/** One argument of a command. */
export interface ArgumentReference {
  readonly name: string;
  readonly required: boolean;
  readonly description: string;
  readonly options?: readonly string[] | undefined;
}

/** One flag of a command. */
export interface FlagReference {
  /** `--name` */
  readonly flag: string;
  /** Its letter, such as `y` for `-y`. */
  readonly char?: string | undefined;
  readonly summary: string;
  readonly type: 'boolean' | 'option';
  /** What it is when it is not given. */
  readonly default?: string | number | boolean | undefined;
  /** The variable that gives it a value too. */
  readonly env?: string | undefined;
  readonly options?: readonly string[] | undefined;
  readonly required: boolean;
}

interface Manifest {
  readonly commands: Readonly<
    Record<
      string,
      {
        readonly summary?: string;
        readonly aliases: readonly string[];
        readonly description?: string;
        readonly hidden?: boolean;
        readonly args: Readonly<
          Record<
            string,
            {
              readonly name: string;
              readonly required?: boolean;
              readonly description?: string;
              readonly options?: readonly string[];
            }
          >
        >;
        readonly flags: Readonly<
          Record<
            string,
            {
              readonly name: string;
              readonly char?: string;
              readonly summary?: string;
              readonly description?: string;
              readonly default?: unknown;
              readonly hidden?: boolean;
              readonly type: 'boolean' | 'option';
              readonly env?: string;
              readonly options?: readonly string[];
              readonly required?: boolean;
            }
          >
        >;
      }
    >
  >;
}

/** oclif gives `--json` no variable of its own, but reads one. */
function envOf(name: string, env: string | undefined): string | undefined {
  return name === 'json' ? 'SYSTEMPROMPT_CONTENT_TYPE' : env;
}

/** Every command of this program, from the manifest that the build made of the commands themselves. */
export async function describeCommands(root: string): Promise<readonly CommandReference[]> {
  const manifest = JSON.parse(await readFile(join(root, 'oclif.manifest.json'), 'utf8')) as Manifest;
  return Object.entries(manifest.commands)
    .map(([id, { summary = '', description = '', hidden = false, aliases, args, flags }]) => ({
      command: words(id),
      aliases: aliases.map(words),
      summary,
      description,
      hidden,
      args: Object.values(args).map(({ name, required = false, description: about = '', options }) => ({
        name,
        required,
        description: about,
        options,
      })),
      // Hidden ones are of earlier versions, and nobody is to begin with them.
      flags: Object.values(flags)
        .filter((flag) => flag.hidden !== true)
        .map(({ name, char, type, env, options, required = false, ...rest }) => ({
          flag: `--${name}`,
          char,
          summary: rest.summary ?? rest.description ?? '',
          type,
          default: plain(rest.default),
          env: envOf(name, env),
          options,
          required,
        }))
        .toSorted((a, b) => (a.flag < b.flag ? -1 : 1)),
      effects: sideEffects[words(id)],
      exitCodes: exitCodesOf(words(id)),
      schema: `schemas/${id.replaceAll(':', '-')}.json`,
    }))
    .toSorted((a, b) => (a.command < b.command ? -1 : 1));
}

function plain(value: unknown): string | number | boolean | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

function words(id: string): string {
  return id.replaceAll(':', ' ');
}
