import { readFile } from 'node:fs/promises';
import yargs, { type CommandModule } from 'yargs';
import { environmentNote, exitNote } from './commands/define-command.ts';
import { exitCodes } from './commands/exit-codes.ts';

/** Each command with what it needs is loaded when it is asked for: most need little of the whole. */
const commands: Readonly<Record<string, () => Promise<CommandModule>>> = {
  serve: async () => (await import('./commands/serve.ts')).serveCommand,
  migrate: async () => (await import('./commands/migrate.ts')).migrateCommand,
  'rotate-keys': async () => (await import('./commands/rotate-keys.ts')).rotateKeysCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  'create-token': async () => (await import('./commands/create-token.ts')).createTokenCommand,
  config: async () => (await import('./commands/config.ts')).configCommand,
  local: async () => (await import('./commands/local.ts')).localCommand,
};

/** The program `sp-management-api`. Sets the exit code; returns when everything that it started has ended. */
export async function main(argv: readonly string[]): Promise<void> {
  // The workflow engine uses pg in a way that pg 9 will refuse; whoever runs this program can do nothing about it.
  process.noDeprecation = true;
  const wanted = Object.keys(commands).filter((name) => name === argv[0]);
  const names = wanted.length > 0 ? wanted : Object.keys(commands);
  const program = yargs(argv)
    .scriptName('sp-management-api')
    .version(await readVersion())
    .strict()
    .recommendCommands()
    .demandCommand(1, 'Name a command: `sp-management-api --help` lists them.')
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .epilogue(`${environmentNote}\n${exitNote}`)
    .option('json', { type: 'boolean', default: false, describe: 'Answer in JSON, on success and on failure' })
    // Thrown, since yargs goes on to the command after a handler that returns.
    .fail((message, error) => {
      throw error ?? new Error(message);
    });
  try {
    for (const name of names) {
      const command = await commands[name]?.();
      if (command !== undefined) program.command(command);
    }
    await program.parseAsync();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { code: 'SP_USAGE', message } })}\n`);
    else process.stderr.write(`${message}\n`);
    process.exitCode = exitCodes.usage;
  }
}

// Sources and build are both one folder below the package.
async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
