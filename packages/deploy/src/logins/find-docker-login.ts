import { askCredentialHelper } from './credential-helper.ts';
import { type DockerAuth, loadDockerConfig } from './docker-config.ts';

/** Options of {@link findDockerLogin}. */
export interface FindDockerLoginOptions {
  /** Absolute path of docker's `config.json`; one that is not there has no logins. */
  readonly configPath: string;
  /** Set on top of this process's environment for `docker-credential-<helper>`. @defaultValue nothing */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Stops a helper that waits for somebody. */
  readonly signal?: AbortSignal | undefined;
}

/** Who somebody is at a registry: a name with a password, or a token that stands for both. */
export type DockerLogin =
  | {
      /** Name that the registry knows. */
      readonly username: string;
      /** Password or token. */
      readonly password: string;
      readonly identityToken?: undefined;
    }
  | {
      /** What the registry gave for a password; its token server exchanges it. */
      readonly identityToken: string;
      readonly username?: undefined;
      readonly password?: undefined;
    };

/** The name under which docker keeps logins to Docker Hub. */
const dockerHub = 'https://index.docker.io/v1/';

/**
 * The login that `docker login` left for a registry: in the file itself (`auths`), or in a keychain that the file names
 * for this registry (`credHelpers`) or for all (`credsStore`). `undefined` when there is none.
 *
 * @throws {@link DeployError} `SP_DEPLOY_BUILD_FAILED` when the file is damaged or the helper fails; `SP_DEPLOY_ABORTED`
 *
 * @example
 * const configPath = '/home/ada/.docker/config.json';
 * const baseRegistry = (registry: string) => findDockerLogin(registry, { configPath });
 */
export async function findDockerLogin(
  registry: string,
  options: FindDockerLoginOptions,
): Promise<DockerLogin | undefined> {
  const { configPath, env, signal } = options;
  const { auths, credHelpers, credsStore } = await loadDockerConfig(configPath);
  const keys = keysOf(registry);
  const helperKey = keys.find((key) => credHelpers.has(key));
  const helper = helperKey === undefined ? credsStore : credHelpers.get(helperKey);
  if (helper !== undefined && helper !== '') {
    const serverUrl = helperKey ?? keys[0] ?? registry;
    const kept = await askCredentialHelper(helper, { registry, serverUrl, configPath, env, signal });
    if (kept !== undefined) return login(kept);
  }
  const key = keys.find((candidate) => auths.has(candidate));
  const auth = key === undefined ? undefined : auths.get(key);
  return auth === undefined ? undefined : login(auth);
}

function login({ username, password, identityToken }: DockerAuth): DockerLogin | undefined {
  if (identityToken !== undefined && identityToken !== '') return { identityToken };
  // An empty entry is docker's mark that a keychain has the login.
  if (username === undefined || username === '' || password === undefined) return undefined;
  // What helpers say instead of a name when the secret is such a token.
  return username === '<token>' ? { identityToken: password } : { username, password };
}

/** The names that a registry may have in the file, the usual one first. */
function keysOf(registry: string): readonly string[] {
  const hosts = registry === 'docker.io' ? ['index.docker.io', 'docker.io', 'registry-1.docker.io'] : [registry];
  const names = hosts.flatMap((host) => [
    host,
    ...['https', 'http'].flatMap((scheme) =>
      ['', '/', '/v1', '/v1/', '/v2', '/v2/'].map((path) => `${scheme}://${host}${path}`),
    ),
  ]);
  return registry === 'docker.io' ? [dockerHub, ...names] : names;
}
