import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MachineError } from './machine-error.ts';

/** Does work with a folder that only this user can enter, and removes it afterwards. */
export async function withPrivateFolder<T>(work: (directory: string) => Promise<T>): Promise<T> {
  // mkdtemp makes it with mode 0700.
  const directory = await mkdtemp(join(tmpdir(), 'sp-docker-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Writes a docker client configuration that is logged in to one registry and nothing else. */
export async function writeDockerLogin(
  directory: string,
  login: { readonly registry: string; readonly username: string; readonly token: string },
): Promise<void> {
  const auth = Buffer.from(`${login.username}:${login.token}`).toString('base64');
  const config = { auths: { [login.registry]: { auth } } };
  await writeFile(join(directory, 'config.json'), JSON.stringify(config), { mode: 0o600, flag: 'wx' });
}

/** An environment for `docker run`: arguments without any value, and what the client needs in its own environment. */
export interface DockerEnvironment {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Hands an environment to the docker client without a value in its arguments: in a file that only this user can read.
 * The file's format has no line breaks and no very long lines; such a value goes through the client's own environment,
 * where names that would change what the client does are refused.
 */
export async function writeDockerEnvironment(
  directory: string,
  environment: Readonly<Record<string, string>>,
): Promise<DockerEnvironment> {
  const lines: string[] = [];
  const args: string[] = [];
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) throw refused(name, 'it is not a name');
    if (value.includes('\0')) throw refused(name, 'its value has a NUL byte');
    if (!/[\r\n]/.test(value) && value.length < longLine) {
      lines.push(`${name}=${value}\n`);
      continue;
    }
    if (steersClient.test(name)) throw refused(name, 'its value has a line break or is very long');
    args.push('--env', name);
    env[name] = value;
  }
  const file = join(directory, 'environment');
  await writeFile(file, lines.join(''), { mode: 0o600, flag: 'wx' });
  return { args: ['--env-file', file, ...args], env };
}

/** The client gives up on lines of 64 KiB. */
const longLine = 16 * 1024;

/** Variables that the docker client, Go's runtime or the dynamic loader listen to. */
const steersClient =
  /^(PATH|HOME|TMPDIR|USER|TERM|.*_PROXY|(DOCKER|LD|GO|SSL|XDG|BUILDKIT|BUILDX|COMPOSE|OTEL|GRPC|MALLOC|GLIBC)[A-Z0-9_]*)$/i;

function refused(name: string, reason: string): MachineError {
  const message = `Cannot pass environment variable ${JSON.stringify(name)} to a machine: ${reason}`;
  return new MachineError('SP_MACHINE_SPEC', { message, reason });
}
