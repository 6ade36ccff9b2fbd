import { execa } from 'execa';
import { lastLines } from './last-lines.ts';
import { MachineError } from './machine-error.ts';

/** What a run of the docker client wrote and how it ended. */
export interface DockerResult {
  /** `undefined` when the client could not be started or was killed. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams, in the order they were written. */
  readonly all: string;
}

/** Options of one run of the docker client. */
export interface DockerRunOptions {
  /** Added to the environment of the control plane. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** Runs the docker client; never throws for what the client does. */
export type RunDocker = (args: readonly string[], options?: DockerRunOptions) => Promise<DockerResult>;

/** Runs a docker client from the `PATH`, without a terminal or an input. */
export function createDockerRun(binary = 'docker'): RunDocker {
  return async (args, { env = {}, signal, timeoutMs } = {}) => {
    const result = await execa(binary, args, {
      env: { ...env },
      stdin: 'ignore',
      all: true,
      reject: false,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    });
    signal?.throwIfAborted();
    const { exitCode, stdout, stderr, all } = result;
    return { exitCode, stdout, stderr, all };
  };
}

/** The error for a docker command that failed: what it was, how it ended and the last it said. */
export function dockerFailure(
  result: DockerResult,
  facts: { readonly step: string; readonly appName: string; readonly releaseId?: string | undefined },
): MachineError {
  const { exitCode } = result;
  const lines = lastLines(result.stderr || result.stdout, 10);
  const why = lines.at(-1) ?? (exitCode === undefined ? 'the docker client did not run' : `exit code ${exitCode}`);
  const message = `docker ${facts.step} failed for ${facts.appName}: ${why}`;
  // Nothing was done: the engine restarts, or is not there yet.
  const failureClass = /cannot connect to the docker daemon/i.test(why) ? 'transient' : undefined;
  return new MachineError('SP_MACHINE_DOCKER', { message, ...facts, exitCode, lastLines: lines, failureClass });
}
