import { DeployError, throwIfAborted } from '../deploy-error.ts';
import { reasonOfFailure, saysEngineIsGone } from './build-output.ts';
import { engineDialect } from './engine-dialect.ts';

/** How the docker CLI is run. */
export interface DockerCommandOptions {
  /** Name or path of the program. */
  readonly binary: string;
  /** Set on top of this process's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One run of the docker CLI. */
export interface DockerRun extends DockerCommandOptions {
  /** What is being done, for the error: `build`, `login`, `push`, … */
  readonly command: string;
  /** Written to standard input, which is empty otherwise. */
  readonly input?: string | undefined;
  /** Taken out of every line. */
  readonly secret?: string | undefined;
  /** Gets every line of output, without secrets. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** How many lines of output an error keeps. */
const keptLines = 20;

/**
 * Runs docker and gives back its output lines. The arguments are not part of any error.
 *
 * @throws {@link DeployError} `SP_DEPLOY_DOCKER_UNAVAILABLE`, `SP_DEPLOY_DOCKER_FAILED`, `SP_DEPLOY_ABORTED`
 */
export async function runDocker(args: readonly string[], run: DockerRun): Promise<readonly string[]> {
  const { binary, command, env = {}, input, secret, onLine, signal } = run;
  throwIfAborted(signal);
  // Loaded here: it is the dearest import of this package, and only this builder needs it.
  const { execa } = await import('execa');
  const child = execa(binary, args, {
    env,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    all: true,
    buffer: false,
    reject: false,
  });
  const lines: string[] = [];
  for await (const raw of child.iterable({ from: 'all' })) {
    const line = secret === undefined || secret === '' ? raw : raw.replaceAll(secret, '***');
    lines.push(line);
    onLine?.(line);
  }
  const { exitCode, failed, code } = await child;
  throwIfAborted(signal);
  if (code === 'ENOENT' || code === 'EACCES') throw unavailable(`no program ${binary} (${code})`);
  if (!failed) return lines;
  const lastLines = lines.slice(-keptLines);
  if (command !== 'version' && saysEngineIsGone(lastLines)) {
    const message = `The engine behind ${binary} went away during ${command}: ${lastLines.at(-1)}`;
    throw new DeployError('SP_DEPLOY_DOCKER_UNAVAILABLE', message, { command, exitCode, lastLines });
  }
  const why = reasonOfFailure(lastLines) ?? (exitCode === undefined ? 'it was stopped' : `exit code ${exitCode}`);
  throw new DeployError('SP_DEPLOY_DOCKER_FAILED', `docker ${command} failed: ${why}`, {
    command,
    exitCode,
    lastLines,
  });
}

/**
 * The version of the engine behind the docker CLI.
 *
 * @throws {@link DeployError} `SP_DEPLOY_DOCKER_UNAVAILABLE` when there is no CLI, or no engine answers within ten seconds
 */
export async function dockerVersion(options: DockerCommandOptions): Promise<string> {
  const timeout = AbortSignal.timeout(10_000);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  try {
    const { version } = engineDialect(options.binary);
    const lines = await runDocker(version, { ...options, signal, command: 'version' });
    return lines.at(-1) ?? '';
  } catch (error) {
    throwIfAborted(options.signal);
    if (!(error instanceof DeployError)) throw error;
    if (timeout.aborted) throw unavailable('the engine does not answer');
    if (error.code === 'SP_DEPLOY_DOCKER_FAILED') throw unavailable(error.lastLines?.at(-1) ?? 'no engine');
    throw error;
  }
}

function unavailable(why: string): DeployError {
  return new DeployError('SP_DEPLOY_DOCKER_UNAVAILABLE', `Docker is not available: ${why}`);
}
