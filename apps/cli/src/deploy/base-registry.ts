import { homedir } from 'node:os';
import { join } from 'node:path';
import type { DeploySource } from '@sp/deploy';
import type { Context } from '../context.ts';

/** Reads the person's own docker logins for the registries of base images: one in a private registry needs them. */
export function baseRegistry({ env, signal }: Pick<Context, 'env' | 'signal'>): DeploySource['baseRegistry'] {
  const folder = env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker');
  return async (registry) => {
    const { findDockerLogin } = await import('@sp/deploy');
    return findDockerLogin(registry, { configPath: join(folder, 'config.json'), signal });
  };
}
