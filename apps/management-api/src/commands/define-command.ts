import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes, Options } from 'yargs';

/** What every command understands. */
export interface CommonOptions {
  /** The answer as one JSON document. */
  readonly json: boolean;
}

/** Said under the help of whatever reads the environment. */
export const environmentNote =
  'Everything else is set by variables of the environment, which `sp-management-api config` explains.';

/** Said under the help of everything. */
export const exitNote =
  'Ends with 0 ok, 1 failed, 2 wrong use or configuration, 5 not found, 6 port taken, 12 database unreachable.';

/** A command of the program, with its options' types made of what is said about them. */
export function defineCommand<Own extends Record<string, Options>>(spec: {
  readonly command: string;
  readonly describe: string;
  readonly options: Own;
  /** What is worth knowing before one uses it, under its options. @defaultValue where the rest is set */
  readonly epilogue?: string;
  /** Whole commands, without the program's name, each with what it does. @defaultValue none */
  readonly examples?: readonly (readonly [command: string, what: string])[];
  /** What is wrong with the options, as a sentence. @defaultValue nothing */
  readonly check?: (options: ArgumentsCamelCase<InferredOptionTypes<Own>>) => string | undefined;
  readonly run: (options: ArgumentsCamelCase<InferredOptionTypes<Own>> & CommonOptions) => Promise<void>;
}): CommandModule {
  const { command, describe, options, epilogue = environmentNote, examples = [], check, run } = spec;
  return {
    command,
    describe,
    builder: (program) =>
      program
        .options(options)
        .example(examples.map(([line, what]) => [`$0 ${line}`, what]))
        .epilogue([epilogue, exitNote].join('\n\n'))
        .check((args) => {
          const problem = check?.(args as never);
          if (problem !== undefined) throw new Error(problem);
          return true;
        }),
    handler: (args) => run(args as never),
  };
}
