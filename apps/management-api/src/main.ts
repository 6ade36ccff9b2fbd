import { resolve } from 'node:path';
import yargs from 'yargs';
import { isLocalCloudError } from './local/local-cloud-error.ts';
import { type LocalCloudOptions, startLocalCloud } from './local/start-local-cloud.ts';

const exitFailed = 1;
const exitUsage = 2;
const exitConflict = 6;

/** The program `sp-management-api`. Sets the exit code; returns when everything that it started has ended. */
export async function main(argv: readonly string[]): Promise<void> {
  // The workflow engine uses pg in a way that pg 9 will refuse; whoever runs this program can do nothing about it.
  process.noDeprecation = true;
  const program = yargs(argv)
    .scriptName('sp-management-api')
    .strict()
    .demandCommand(1, 'Name a command.')
    .command(
      'local',
      'Run SystemPrompt Cloud whole on this computer.',
      (command) =>
        command.options({
          'data-dir': {
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'Folder for everything it keeps',
          },
          port: { type: 'number', default: 7300, requiresArg: true, describe: 'Port on 127.0.0.1; 0 for any' },
          machines: {
            choices: ['auto', 'docker', 'process'] as const,
            default: 'auto' as const,
            describe: 'What tenants run in',
          },
          'provider-delay-ms': {
            type: 'number',
            default: 0,
            requiresArg: true,
            describe: 'Makes each provider call slower',
          },
        }),
      (args) =>
        runLocal({
          dataDir: resolve(args.dataDir),
          port: args.port,
          machines: args.machines,
          providerDelayMs: args.providerDelayMs,
        }),
    )
    .check(({ port, providerDelayMs }) => {
      if (port !== undefined && !isInteger(port, 65_535)) throw new Error('--port is a number from 0 to 65535.');
      if (providerDelayMs !== undefined && !isInteger(providerDelayMs, 3_600_000)) {
        throw new Error('--provider-delay-ms is a number of milliseconds, at most an hour.');
      }
      return true;
    })
    // Thrown, since yargs goes on to the command after a handler that returns.
    .fail((message, error) => {
      throw error ?? new Error(message);
    });
  try {
    await program.parseAsync();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = exitUsage;
  }
}

function isInteger(value: unknown, max: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
}

async function runLocal(options: LocalCloudOptions): Promise<void> {
  const starting = new AbortController();
  const asked = new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        starting.abort(new Error(`Interrupted by ${signal}`));
        done();
      });
    }
  });
  try {
    const cloud = await startLocalCloud({ ...options, signal: starting.signal });
    process.stdout.write(`${JSON.stringify({ url: cloud.url, machines: cloud.machines })}\n`);
    await asked;
    await cloud.stop();
    process.exitCode = 0;
  } catch (error) {
    if (starting.signal.aborted) return;
    const [code, message] = isLocalCloudError(error)
      ? [error.code, error.message]
      : ['SP_LOCAL_FAILED', error instanceof Error ? error.message : String(error)];
    process.stderr.write(`${code}: ${message}\n`);
    process.exitCode = code === 'SP_LOCAL_PORT_BUSY' || code === 'SP_LOCAL_ALREADY_RUNNING' ? exitConflict : exitFailed;
  }
}
