declare module 'virtual:commands' {
  import type { Config } from '@oclif/core';

  /** A command as it is started. */
  interface Startable {
    id: string;
    new (argv: string[], config: Config): { _run(): Promise<unknown> };
  }

  /** Every command by its id, made of the files in `src/commands` by the build. */
  export const commands: Readonly<Record<string, () => Promise<Startable>>>;
}
