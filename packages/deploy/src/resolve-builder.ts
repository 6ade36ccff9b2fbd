import { DeployError, isDeployError } from './deploy-error.ts';
import { createDockerBuilder, type DockerBuilderOptions } from './docker/docker-builder.ts';
import { dockerVersion } from './docker/docker-command.ts';
import type { ImageBuilder } from './image-builder.ts';
import { createOciBuilder, type OciBuilderOptions } from './oci/oci-builder.ts';
import { parseBase } from './plan/base-kind.ts';
import { debianPackages } from './plan/debian.ts';

/** Which builder to use: `auto` takes docker only when packages are to be installed, or for a Dockerfile of one's own. */
export type BuilderChoice = 'auto' | 'oci' | 'docker';

/** What {@link resolveBuilder} decides by. */
export interface ResolveBuilderOptions {
  /** What the caller wants. */
  readonly choice: BuilderChoice;
  /** What the image is built on, as {@link ImagePlan.base}. */
  readonly base: string;
  /** Path of a Dockerfile that was edited by hand: only docker can build it. @defaultValue none */
  readonly dockerfile?: string | undefined;
  /** Where the in-process builder keeps layers and bases. */
  readonly cacheDirectory: string;
  /** How the in-process builder talks to a base's registry. @defaultValue anonymous */
  readonly baseRegistry?: OciBuilderOptions['baseRegistry'];
  /** How the docker CLI is run. */
  readonly docker?: DockerBuilderOptions | undefined;
  /** Gives up asking the engine (`SP_DEPLOY_ABORTED`). */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The builder for a base. `auto`: a base into which packages are installed (Debian) and a Dockerfile that was edited by
 * hand need docker, everything else is built in this process.
 *
 * @throws {@link DeployError} `SP_DEPLOY_DOCKER_UNAVAILABLE` when docker is asked for or needed and does not answer,
 * `SP_DEPLOY_BASE_UNSUPPORTED` when the chosen builder cannot build on the base
 */
export async function resolveBuilder(options: ResolveBuilderOptions): Promise<ImageBuilder> {
  const { choice, base, dockerfile, cacheDirectory, baseRegistry, docker = {}, signal } = options;
  const { kind } = parseBase(base);
  const installs = debianPackages(base).length > 0;
  const needsDocker = installs || dockerfile !== undefined;
  const chosen = choice === 'auto' ? (needsDocker ? 'docker' : 'oci') : choice;
  if (chosen === 'oci' && dockerfile !== undefined) {
    throw new DeployError(
      'SP_DEPLOY_BASE_UNSUPPORTED',
      `Cannot build ${dockerfile} without docker: it was edited by hand`,
    );
  }
  if (chosen === 'oci' && installs) throw unsupported(base, 'without docker: packages have to be installed in it');
  if (chosen === 'docker' && (kind === 'layout' || kind === 'archive') && dockerfile === undefined)
    throw unsupported(base, 'with docker: it is on disk');
  if (chosen === 'oci') return createOciBuilder({ cacheDirectory, baseRegistry });
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
