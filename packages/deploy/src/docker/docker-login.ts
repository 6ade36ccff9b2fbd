import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegistryToken } from '@sp/cloud-api';
import { type DockerCommandOptions, runDocker } from './docker-command.ts';
import { engineDialect, isInsecureRegistry } from './engine-dialect.ts';

/**
 * Runs `use` with a docker configuration that is logged in to the registry and that nobody else sees. It is deleted
 * afterwards, so a tenant's token never ends up in the user's own configuration or keychain.
 */
export async function withDockerLogin<T>(
  target: RegistryToken,
  given: DockerCommandOptions & { readonly configDirectory?: string | undefined },
  use: (login: { readonly env: Readonly<Record<string, string>>; readonly directory: string }) => Promise<T>,
): Promise<T> {
  const { configDirectory = tmpdir(), ...docker } = given;
  const { registry, username, token } = target;
  const host = await engineHost(docker);
  const directory = await mkdtemp(join(configDirectory, 'systemprompt-docker-'));
  try {
    // An entry for the registry keeps docker from looking for a keychain to put the token in.
    const config = join(directory, 'config.json');
    await writeFile(config, JSON.stringify({ auths: { [registry]: {} } }), { mode: 0o600 });
    // The second is podman's name for it.
    const own = { DOCKER_CONFIG: directory, REGISTRY_AUTH_FILE: config };
    const env = { ...docker.env, ...own, ...(host === undefined ? {} : { DOCKER_HOST: host }) };
    const { global, registry: options } = engineDialect(docker.binary);
    const insecure = isInsecureRegistry(registry);
    const args = [...global(insecure), 'login', ...options(insecure), registry, '-u', username, '--password-stdin'];
    await runDocker(args, {
      ...docker,
      env,
      command: 'login',
      input: token,
      secret: token,
    });
    return await use({ env, directory });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Which engine the user's own configuration chooses; the private one does not know its contexts. */
async function engineHost(docker: DockerCommandOptions): Promise<string | undefined> {
  const format = '{{.Endpoints.docker.Host}}';
  const lines = await runDocker(['context', 'inspect', '--format', format], { ...docker, command: 'context' }).catch(
    () => [],
  );
  const host = lines.at(-1)?.trim();
  return host !== undefined && /^[a-z]+:\/\//.test(host) ? host : undefined;
}
