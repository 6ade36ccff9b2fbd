import { DeployError, isDeployError } from './deploy-error.ts';
import { createDockerBuilder, type DockerBuilderOptions } from './docker/docker-builder.ts';
import { dockerVersion } from './docker/docker-command.ts';
import type { ImageBuilder } from './image-builder.ts';
import { createOciBuilder } from './oci/oci-builder.ts';
import { parseBase } from './plan/base-kind.ts';

/** Which builder to use: `auto` takes docker only when the base or the Dockerfile needs it. */
export type BuilderChoice = 'auto' | 'oci' | 'docker';

/** What {@link resolveBuilder} decides by. */
export interface ResolveBuilderOptions {
  readonly choice: BuilderChoice;
  /** {@link ImagePlan.base}. */
  readonly base: string;
  /** Path of a Dockerfile that was edited by hand: only docker can build it. @defaultValue none */
  readonly dockerfile?: string | undefined;
  /** Where the in-process builder keeps layers. */
  readonly cacheDirectory: string;
  /** How the docker CLI is run. */
  readonly docker?: DockerBuilderOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The builder for a base. `auto`: a base in a registry and a Dockerfile that was edited by hand need docker, everything
 * else is built in this process.
 *
 * @throws {@link DeployError} `SP_DEPLOY_DOCKER_UNAVAILABLE` when docker is asked for or needed and does not answer,
 * `SP_DEPLOY_BASE_UNSUPPORTED` when the chosen builder cannot build on the base
 */
export async function resolveBuilder(options: ResolveBuilderOptions): Promise<ImageBuilder> {
  const { choice, base, dockerfile, cacheDirectory, docker = {}, signal } = options;
  const { kind } = parseBase(base);
  const needsDocker = kind === 'registry' || dockerfile !== undefined;
  const chosen = choice === 'auto' ? (needsDocker ? 'docker' : 'oci') : choice;
  if (chosen === 'oci' && dockerfile !== undefined) {
    throw new DeployError(
      'SP_DEPLOY_BASE_UNSUPPORTED',
      `Cannot build ${dockerfile} without docker: it was edited by hand`,
    );
  }
  if (chosen === 'oci' && kind === 'registry') throw unsupported(base, 'without docker: it is in a registry');
  if (chosen === 'docker' && kind === 'layout' && dockerfile === undefined)
    throw unsupported(base, 'with docker: it is a layout on disk');
  if (chosen === 'oci') return createOciBuilder({ cacheDirectory });
  try {
    await dockerVersion({ binary: docker.binary ?? 'docker', env: docker.env, signal });
  } catch (error) {
    if (choice === 'docker' || !isDeployError(error) || error.code !== 'SP_DEPLOY_DOCKER_UNAVAILABLE') throw error;
    throw unsupported(dockerfile ?? base, `without docker: ${error.message}`);
  }
  return createDockerBuilder(docker);
}

function unsupported(base: string, why: string): DeployError {
  return new DeployError('SP_DEPLOY_BASE_UNSUPPORTED', `Cannot build on ${base} ${why}`);
}
