import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RegistryToken } from '@sp/cloud-api';
import { DeployError, isDeployError, throwIfAborted } from '../deploy-error.ts';
import {
  type BuilderRunOptions,
  type BuildOptions,
  type BuiltImage,
  type ImageBuilder,
  imageName,
  type PushedImage,
} from '../image-builder.ts';
import { parseBase } from '../plan/base-kind.ts';
import type { ImagePlan } from '../plan/image-plan.ts';
import { type BuildContext, stageBuildContext } from './build-context.ts';
import { readBuildLine } from './build-output.ts';
import { type DockerCommandOptions, runDocker } from './docker-command.ts';
import { withDockerLogin } from './docker-login.ts';
import { engineDialect, isInsecureRegistry } from './engine-dialect.ts';

/** Options of {@link createDockerBuilder}. */
export interface DockerBuilderOptions {
  /** Name or path of the docker CLI, or of `podman` or `nerdctl`. @defaultValue 'docker' */
  readonly binary?: string | undefined;
  /** Variables for docker on top of this process's environment, for example `DOCKER_HOST`. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Where the short-lived private docker configuration of a push is made. @defaultValue the folder for temporary files */
  readonly configDirectory?: string | undefined;
}

/**
 * Builds and pushes with the docker CLI and the engine behind it. Bases are `scratch` and images in registries.
 *
 * @example
 * const builder = createDockerBuilder();
 */
export function createDockerBuilder(options: DockerBuilderOptions = {}): ImageBuilder {
  const { binary = 'docker', configDirectory } = options;
  // Provenance would make the tag an index around the image.
  const env = { BUILDX_NO_DEFAULT_ATTESTATIONS: '1', ...options.env };
  return {
    kind: 'docker',
    build: (plan, buildOptions) =>
      build(plan, { ...buildOptions, docker: { binary, env, signal: buildOptions.signal } }),
    push: (image, target, pushOptions = {}) =>
      push(image, target, { ...pushOptions, configDirectory, docker: { binary, env, signal: pushOptions.signal } }),
  };
}

async function build(
  plan: ImagePlan,
  { name, onProgress, signal, docker }: BuildOptions & { readonly docker: DockerCommandOptions },
): Promise<BuiltImage> {
  const { kind } = parseBase(plan.base);
  if (plan.dockerfile === undefined && (kind === 'layout' || kind === 'archive')) {
    throw new DeployError('SP_DEPLOY_BASE_UNSUPPORTED', `Cannot build on ${plan.base} with docker: it is on disk`);
  }
  const context = await stage(plan, name, signal);
  try {
    const { build: options } = engineDialect(docker.binary);
    const { platform } = plan;
    const forPlatform = platform === undefined ? [] : ['--platform', `${platform.os}/${platform.architecture}`];
    await runDocker(['build', ...options, ...forPlatform, '-f', context.dockerfile, '-t', name, context.directory], {
      ...docker,
      command: 'build',
      onLine: (line) => onProgress?.(readBuildLine(line)),
    });
    return { kind: 'docker', name };
  } finally {
    await context.remove();
  }
}

async function stage(plan: ImagePlan, name: string, signal: AbortSignal | undefined): Promise<BuildContext> {
  try {
    return await stageBuildContext(plan, { signal });
  } catch (error) {
    throwIfAborted(signal);
    if (isDeployError(error)) throw error;
    const why = error instanceof Error ? error.message : 'unknown reason';
    throw new DeployError('SP_DEPLOY_BUILD_FAILED', `Cannot build ${name}: ${why}`, { cause: error });
  }
}

interface PushOptions extends BuilderRunOptions {
  readonly docker: DockerCommandOptions;
  readonly configDirectory: string | undefined;
}

async function push(image: BuiltImage, target: RegistryToken, options: PushOptions): Promise<PushedImage> {
  const { docker, configDirectory, onProgress } = options;
  const name = imageName(target);
  const failed = (why: string): DeployError => new DeployError('SP_DEPLOY_PUSH_FAILED', `Cannot push ${name}: ${why}`);
  if (image.kind !== 'docker') throw failed('the image is not in a docker engine');
  if (image.name !== name) await runDocker(['tag', image.name, name], { ...docker, command: 'tag' });
  const digest =
    (await withDockerLogin(target, { ...docker, configDirectory }, async ({ env, directory }) => {
      const { global, registry, digestFile } = engineDialect(docker.binary);
      const insecure = isInsecureRegistry(target.registry);
      const file = join(directory, 'digest');
      const options = [...registry(insecure), ...(digestFile === undefined ? [] : [digestFile, file])];
      const lines = await runDocker([...global(insecure), 'push', ...options, name], {
        ...docker,
        env,
        command: 'push',
        secret: target.token,
        onLine: (message) => onProgress?.({ message }),
      });
      return pushedDigest(
        digestFile === undefined ? lines : [`digest: ${await readFile(file, 'utf8').catch(() => '')}`],
      );
    })) ?? (await inspectDigest(target, docker));
  if (digest === undefined) throw failed('docker does not say which digest it has');
  return { digest };
}

/** The last line of a push: `tenant-1: digest: sha256:… size: 1234`. */
function pushedDigest(lines: readonly string[]): string | undefined {
  return lines
    .map((line) => /digest: (sha256:[0-9a-f]{64})\b/.exec(line)?.[1])
    .findLast((digest) => digest !== undefined);
}

/** An image may have been pushed to several repositories; only ours counts. */
async function inspectDigest(target: RegistryToken, docker: DockerCommandOptions): Promise<string | undefined> {
  const lines = await runDocker(
    ['inspect', '--format', '{{range .RepoDigests}}{{println .}}{{end}}', imageName(target)],
    { ...docker, command: 'inspect' },
  );
  const prefix = `${target.registry}/${target.repository}@`;
  return lines
    .find((line) => line.startsWith(prefix))
    ?.slice(prefix.length)
    .trim();
}
