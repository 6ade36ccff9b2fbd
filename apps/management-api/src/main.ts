import yargs from 'yargs';
import { configCommand } from './commands/config.ts';
import { createTokenCommand } from './commands/create-token.ts';
import { doctorCommand } from './commands/doctor.ts';
import { localCommand } from './commands/local.ts';
import { migrateCommand } from './commands/migrate.ts';
import { rotateKeysCommand } from './commands/rotate-keys.ts';
import { exitCodes } from './commands/run-command.ts';
import { serveCommand } from './commands/serve.ts';

/** The program `sp-management-api`. Sets the exit code; returns when everything that it started has ended. */
export async function main(argv: readonly string[]): Promise<void> {
  // The workflow engine uses pg in a way that pg 9 will refuse; whoever runs this program can do nothing about it.
  process.noDeprecation = true;
  const program = yargs(argv)
    .scriptName('sp-management-api')
    .strict()
    .demandCommand(1, 'Name a command.')
    .option('json', { type: 'boolean', default: false, describe: 'Answer in JSON, on success and on failure' })
    .command(serveCommand)
    .command(migrateCommand)
    .command(rotateKeysCommand)
    .command(doctorCommand)
    .command(createTokenCommand)
    .command(configCommand)
    .command(localCommand)
    // Thrown, since yargs goes on to the command after a handler that returns.
    .fail((message, error) => {
      throw error ?? new Error(message);
    });
  try {
    await program.parseAsync();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = exitCodes.usage;
  }
}
