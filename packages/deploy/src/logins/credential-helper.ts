import * as z from 'zod/mini';
import { throwIfAborted } from '../deploy-error.ts';
import type { DockerAuth } from './docker-config.ts';
import { loginUnreadable } from './login-unreadable.ts';

const answerSchema = z.object({ Username: z.string(), Secret: z.string() });

/** How helpers say, on standard output and with exit code 1, that they have nothing: docker knows it by these words too. */
const hasNone = 'credentials not found in native keychain';

/**
 * Asks `docker-credential-<helper> get` for a login; `undefined` when it has none.
 *
 * @throws {@link DeployError} `SP_DEPLOY_BUILD_FAILED`, `SP_DEPLOY_ABORTED`
 */
export async function askCredentialHelper(
  helper: string,
  options: {
    readonly registry: string;
    /** The name that the helper has the login under. */
    readonly serverUrl: string;
    readonly configPath: string;
    readonly env?: Readonly<Record<string, string>> | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<DockerAuth | undefined> {
  const { serverUrl, env = {}, signal } = options;
  throwIfAborted(signal);
  // A name, never a path: the file must not choose just any program.
  if (!/^[\w.-]+$/.test(helper)) throw loginUnreadable(options, 'its credential helper has a malformed name');
  const program = `docker-credential-${helper}`;
  const { execa } = await import('execa');
  const { exitCode, failed, code, stdout } = await execa(program, ['get'], {
    env,
    input: serverUrl,
    stderr: 'ignore',
    reject: false,
    maxBuffer: 1024 * 1024,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  throwIfAborted(signal);
  if (code === 'ENOENT' || code === 'EACCES') throw loginUnreadable(options, `no program ${program} (${code})`);
  if (failed) {
    if ((stdout ?? '').includes(hasNone)) return undefined;
    const how = exitCode === undefined ? 'was stopped' : `failed with exit code ${exitCode}`;
    throw loginUnreadable(options, `${program} ${how}`);
  }
  const answer = answerSchema.safeParse(parseJson(stdout));
  if (!answer.success) throw loginUnreadable(options, `${program} answered no login`);
  return { username: answer.data.Username, password: answer.data.Secret };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
