import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegistryToken } from '@sp/cloud-api';
import { type DockerCommandOptions, runDocker } from './docker-command.ts';

/**
 * Runs `use` with a docker configuration that is logged in to the registry and that nobody else sees. It is deleted
 * afterwards, so a tenant's token never ends up in the user's own configuration or keychain.
 */
export async function withDockerLogin<T>(
  target: RegistryToken,
  options: DockerCommandOptions & { readonly configDirectory?: string | undefined },
  use: (env: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const { configDirectory = tmpdir(), ...docker } = options;
  const { registry, username, token } = target;
  const host = await engineHost(docker);
  const directory = await mkdtemp(join(configDirectory, 'systemprompt-docker-'));
  try {
    // An entry for the registry keeps docker from looking for a keychain to put the token in.
    await writeFile(join(directory, 'config.json'), JSON.stringify({ auths: { [registry]: {} } }), { mode: 0o600 });
    const env = { ...docker.env, DOCKER_CONFIG: directory, ...(host === undefined ? {} : { DOCKER_HOST: host }) };
    await runDocker(['login', registry, '-u', username, '--password-stdin'], {
      ...docker,
      env,
      command: 'login',
      input: token,
      secret: token,
    });
    return await use(env);
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
