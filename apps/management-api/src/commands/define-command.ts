import type { ArgumentsCamelCase, CommandModule, InferredOptionTypes, Options } from 'yargs';

/** What every command understands. */
export interface CommonOptions {
  /** The answer as one JSON document. */
  readonly json: boolean;
}

/** A command of the program, with its options' types made of what is said about them. */
export function defineCommand<Own extends Record<string, Options>>(spec: {
  readonly command: string;
  readonly describe: string;
  readonly options: Own;
  /** What is wrong with the options, as a sentence. @defaultValue nothing */
  readonly check?: (options: ArgumentsCamelCase<InferredOptionTypes<Own>>) => string | undefined;
  readonly run: (options: ArgumentsCamelCase<InferredOptionTypes<Own>> & CommonOptions) => Promise<void>;
}): CommandModule {
  const { command, describe, options, check, run } = spec;
  return {
    command,
    describe,
    builder: (program) =>
      program.options(options).check((args) => {
        const problem = check?.(args as never);
        if (problem !== undefined) throw new Error(problem);
        return true;
      }),
    handler: (args) => run(args as never),
  };
}
