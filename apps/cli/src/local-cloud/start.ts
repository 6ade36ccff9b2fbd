import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';
import { findLocalCloud, isHealthy, type LocalCloudState } from './state.ts';

/** How to start a local cloud. */
export interface StartLocalCloudOptions {
  readonly dataDirectory: string;
  /** 0: any free port, the same one at the next start. */
  readonly port: number;
  readonly machines: string;
  readonly providerDelayMs?: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long the server may take to answer. @defaultValue 180_000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts `sp-management-api local` in the background and waits until it answers. The server outlives this process.
 *
 * @throws {CliError} `SP_CLI_LOCAL_NOT_INSTALLED`, `SP_CLI_LOCAL_PORT_BUSY`, `SP_CLI_LOCAL_FAILED` with the last lines
 * of its log, `SP_CLI_LOCAL_TIMEOUT`.
 */
export async function startLocalCloud(options: StartLocalCloudOptions): Promise<LocalCloudState> {
  const { dataDirectory, port, timeoutMs = 180_000, signal } = options;
  const program = findServerProgram();
  const logPath = join(dataDirectory, 'logs', 'server.log');
  await mkdir(dirname(logPath), { recursive: true, mode: 0o700 });
  const log = await open(logPath, 'w', 0o600);
  const child = spawn(process.execPath, [program, ...serverArguments(options)], {
    cwd: dataDirectory,
    env: options.env,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const exited = new Promise<number>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
  await log.close();

  const deadline = Date.now() + timeoutMs;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const exitCode = await Promise.race([exited, delay(150, undefined)]);
      if (exitCode === 6) {
        throw new CliError('SP_CLI_LOCAL_PORT_BUSY', `Port ${port} is in use by another program`, { port });
      }
      const lastLines = exitCode !== undefined || Date.now() > deadline ? await readLastLines(dataDirectory) : [];
      if (exitCode !== undefined) {
        throw new CliError('SP_CLI_LOCAL_FAILED', `The local cloud ended with exit code ${exitCode} while starting`, {
          path: logPath,
          lastLines,
        });
      }
      const state = await findLocalCloud(dataDirectory);
      if (state?.pid === child.pid && state !== undefined && (await isHealthy(state.url, signal))) {
        child.unref();
        return state;
      }
      if (Date.now() > deadline) {
        throw new CliError('SP_CLI_LOCAL_TIMEOUT', `The local cloud did not answer within ${timeoutMs / 1000} s`, {
          path: logPath,
          lastLines,
        });
      }
    }
  } catch (error) {
    // Nobody would know about a half-started server.
    child.kill('SIGTERM');
    child.unref();
    throw error;
  }
}

function serverArguments({ dataDirectory, port, machines, providerDelayMs }: StartLocalCloudOptions): string[] {
  const delayArguments = providerDelayMs === undefined ? [] : ['--provider-delay-ms', String(providerDelayMs)];
  return ['local', '--data-dir', dataDirectory, '--port', String(port), '--machines', machines, ...delayArguments];
}

/** The server is an optional dependency: a CLI that only talks to the real cloud does without it. */
function findServerProgram(): string {
  try {
    const manifest = createRequire(import.meta.url).resolve('@sp/management-api/package.json');
    return join(dirname(manifest), 'bin', 'sp-management-api.js');
  } catch {
    throw new CliError('SP_CLI_LOCAL_NOT_INSTALLED', 'The package @sp/management-api is not installed');
  }
}

/** What the server said last: its own output, else its log. */
async function readLastLines(dataDirectory: string): Promise<string[]> {
  for (const name of ['server.log', 'api.log']) {
    const text = await readFile(join(dataDirectory, 'logs', name), 'utf8').catch(() => '');
    const lines = text.trimEnd().split('\n').slice(-20);
    if (lines.some((line) => line !== '')) return lines;
  }
  return [];
}
