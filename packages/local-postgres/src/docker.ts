import { execa } from 'execa';
import * as z from 'zod/mini';
import { isLocalPostgresError, LocalPostgresError } from './local-postgres-error.ts';

/** The Docker command line. */
export interface Docker {
  /** Runs `docker <arguments>`; rejects with its last words. */
  run(args: readonly string[], options?: { readonly input?: string; readonly failure?: string }): Promise<string>;
  /** Runs `docker compose <arguments>`, with the plugin or the older program. */
  compose(args: readonly string[], options: { readonly failure: string }): Promise<void>;
  /** The container of this name; `undefined` when there is none. */
  find(name: string): Promise<Container | undefined>;
}

/** What Docker says about a container. */
export interface Container {
  readonly running: boolean;
  /** `healthy` only when its health check has said so; absent without one. */
  readonly health: string | undefined;
  /** The port on this computer that leads to Postgres. */
  readonly port: number | undefined;
  /** What it was given as `POSTGRES_PASSWORD`. */
  readonly password: string | undefined;
}

const inspected = z.array(
  z.object({
    State: z.object({ Running: z.boolean(), Health: z.nullish(z.object({ Status: z.string() })) }),
    Config: z.object({ Env: z.nullish(z.array(z.string())) }),
    HostConfig: z.object({
      PortBindings: z.nullish(z.record(z.string(), z.nullish(z.array(z.object({ HostPort: z.string() }))))),
    }),
  }),
);

/**
 * Finds out that Docker can be used.
 * @throws {LocalPostgresError} SP_POSTGRES_DOCKER_MISSING with Docker's own words
 */
export async function openDocker(options: {
  /** The program. */
  readonly binary: string;
  /** Whether Compose is needed. @defaultValue true */
  readonly compose?: boolean | undefined;
  readonly signal: AbortSignal | undefined;
}): Promise<Docker> {
  const { binary, compose = true, signal } = options;
  const start = async (file: string, args: readonly string[], input?: string) =>
    await execa(file, args, {
      reject: false,
      ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
  const missing = (reason: string): LocalPostgresError =>
    new LocalPostgresError('SP_POSTGRES_DOCKER_MISSING', `Docker cannot be used: ${reason}`, { reason });

  const engine = await start(binary, ['version', '--format', '{{.Server.Version}}']);
  signal?.throwIfAborted();
  if (engine.failed) throw missing(lastLine(engine.stderr) || 'it does not answer');
  const programs = [
    { file: binary, first: ['compose'] },
    { file: `${binary}-compose`, first: [] },
  ];
  const answers = compose
    ? await Promise.all(programs.map(({ file, first }) => start(file, [...first, 'version'])))
    : [engine];
  signal?.throwIfAborted();
  const program = programs[answers.findIndex((answer) => !answer.failed)];
  if (program === undefined) throw missing('it has no Compose (neither the plugin nor docker-compose)');

  const check = async (running: ReturnType<typeof start>, failure: string): Promise<string> => {
    const result = await running;
    signal?.throwIfAborted();
    if (!result.failed) return result.stdout ?? '';
    const reason = lastLine(result.stderr) || 'it did not say why';
    throw new LocalPostgresError('SP_POSTGRES_NOT_STARTED', `${failure}: ${reason}`, { reason });
  };
  const { file, first } = program;
  return {
    run: (args, { input, failure = `docker ${args[0]} failed` } = {}) => check(start(binary, args, input), failure),
    compose: async (args, { failure }) => void (await check(start(file, [...first, ...args]), failure)),
    find: async (name) => {
      const result = await start(binary, ['container', 'inspect', name]);
      signal?.throwIfAborted();
      if (result.failed) return undefined;
      return toContainer(result.stdout);
    },
  };
}

/** Whether a Docker engine with Compose answers. */
export async function canUseDocker(
  options: {
    /** The program. @defaultValue 'docker' */
    readonly binary?: string | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<boolean> {
  const { binary = 'docker', signal } = options;
  try {
    await openDocker({ binary, signal });
    return true;
  } catch (error) {
    if (isLocalPostgresError(error)) return false;
    throw error;
  }
}

function toContainer(text: string): Container | undefined {
  const [found] = inspected.parse(JSON.parse(text));
  if (found === undefined) return undefined;
  const prefix = 'POSTGRES_PASSWORD=';
  const port = Number(found.HostConfig.PortBindings?.['5432/tcp']?.[0]?.HostPort);
  return {
    running: found.State.Running,
    health: found.State.Health?.Status,
    port: Number.isInteger(port) && port > 0 ? port : undefined,
    password: found.Config.Env?.find((each) => each.startsWith(prefix))?.slice(prefix.length),
  };
}

// Compose ends with a sentence that says nothing.
function lastLine(text: string | undefined): string {
  const lines = (text ?? '').trim().split('\n');
  const telling = lines.findLast((line) => /error/i.test(line) && !line.startsWith('Encountered errors'));
  return (telling ?? lines.at(-1) ?? '').trim();
}
