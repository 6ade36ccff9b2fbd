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
  readonly args: readonly { readonly name: string; readonly required: boolean }[];
  readonly flags: readonly FlagReference[];
  readonly effects: SideEffects | undefined;
  /** Exit codes that it can end with; what they mean is in `exit_codes` of the whole. */
  readonly exitCodes: readonly number[];
  /** The JSON Schema of what it answers under `--json`: a file of this package. */
  readonly schema: string;
}

/** One flag of a command. */
export interface FlagReference {
  /** `--name` */
  readonly flag: string;
  readonly type: 'boolean' | 'option';
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
        readonly args: Readonly<Record<string, { readonly name: string; readonly required?: boolean }>>;
        readonly flags: Readonly<
          Record<
            string,
            {
              readonly name: string;
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
    .map(([id, { summary = '', aliases, args, flags }]) => ({
      command: words(id),
      aliases: aliases.map(words),
      summary,
      args: Object.values(args).map(({ name, required = false }) => ({ name, required })),
      flags: Object.values(flags)
        .map(({ name, type, env, options, required = false }) => ({ flag: `--${name}`, type, env: envOf(name, env), options, required }))
        .toSorted((a, b) => (a.flag < b.flag ? -1 : 1)),
      effects: sideEffects[words(id)],
      exitCodes: exitCodesOf(words(id)),
      schema: `schemas/${id.replaceAll(':', '-')}.json`,
    }))
    .toSorted((a, b) => (a.command < b.command ? -1 : 1));
}

function words(id: string): string {
  return id.replaceAll(':', ' ');
}
