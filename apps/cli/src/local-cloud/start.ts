import { spawn } from 'node:child_process';
import { open, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';
import { readLastLines } from './last-lines.ts';
import { makeFolders } from './make-folders.ts';
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
 * Starts `sp-management-api local` in the background and waits until it answers. The server outlives this process. When
 * another process starts one on the same folder at the same time, that one is waited for.
 *
 * @throws {CliError} `SP_CLI_LOCAL_NOT_INSTALLED`, `SP_CLI_LOCAL_PORT_BUSY`, `SP_CLI_LOCAL_FAILED` with the last lines
 * of its output, `SP_CLI_LOCAL_TIMEOUT`.
 */
export async function startLocalCloud(options: StartLocalCloudOptions): Promise<LocalCloudState> {
  const { dataDirectory, timeoutMs = 180_000, signal } = options;
  const program = findServerProgram();
  const logs = join(dataDirectory, 'logs');
  makeFolders(logs, 0o700);
  // A file of its own until the server runs: a second one that gives up must not write into the log of the first.
  const draftPath = join(logs, `server-${process.pid}.log`);
  const log = await open(draftPath, 'w', 0o600);
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

  let mine = true;
  try {
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; ) {
      signal?.throwIfAborted();
      const exitCode = await Promise.race([exited, delay(150, undefined)]);
      if (exitCode !== undefined && mine) {
        checkExit({ exitCode, lastLines: await readLastLines(draftPath), options });
        mine = false;
      }
      // `exited` is settled now and would win every race at once.
      if (!mine) await delay(150, undefined, { signal });
      const state = await findLocalCloud(dataDirectory);
      if (state === undefined || (mine && state.pid !== child.pid)) continue;
      if (await isHealthy(state.url, signal)) return state;
    }
    throw new CliError('SP_CLI_LOCAL_TIMEOUT', `The local cloud did not answer within ${timeoutMs / 1000} s`, {
      lastLines: await readLastLines(draftPath),
    });
  } catch (error) {
    // Nobody would know about a half-started server.
    child.kill('SIGTERM');
    throw error;
  } finally {
    child.unref();
    if (mine) await rename(draftPath, join(logs, 'server.log'));
    else await rm(draftPath, { force: true });
  }
}

/** Throws what the server's end means; returns when it ended because another one runs already. */
function checkExit(end: { exitCode: number; lastLines: readonly string[]; options: StartLocalCloudOptions }): void {
  const { exitCode, lastLines, options } = end;
  const said = (code: string): boolean => lastLines.some((line) => line.startsWith(`${code}:`));
  if (said('SP_LOCAL_ALREADY_RUNNING')) return;
  const { port } = options;
  if (said('SP_LOCAL_PORT_BUSY')) {
    throw new CliError('SP_CLI_LOCAL_PORT_BUSY', `Port ${port} is in use by another program`, { port });
  }
  throw new CliError('SP_CLI_LOCAL_FAILED', `The local cloud ended with exit code ${exitCode} while starting`, {
    path: join(options.dataDirectory, 'logs'),
    lastLines,
  });
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
