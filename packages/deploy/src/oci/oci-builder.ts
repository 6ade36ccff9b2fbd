import type { RegistryToken } from '@sp/cloud-api';
import {
  type BaseImage,
  type BuiltLayer,
  buildImage,
  buildLayer,
  createBlobStore,
  createRegistryClient,
  type Descriptor,
  type ImageConfig,
  type ImageHealthcheck,
  isOciError,
  type LoadBaseImageOptions,
  type LoadedImage,
} from '@sp/oci';
import { DeployError, throwIfAborted } from '../deploy-error.ts';
import type {
  BuilderRunOptions,
  BuildOptions,
  BuiltImage,
  BuiltPlanLayer,
  ImageBuilder,
  PushedImage,
} from '../image-builder.ts';
import { parseBase } from '../plan/base-kind.ts';
import type { ImagePlan, PlanHealthCheck } from '../plan/image-plan.ts';
import { canCheckHealth } from './base-programs.ts';
import { createEarlyUpload, type EarlyUpload } from './early-upload.ts';
import { createLayerCache } from './layer-cache.ts';
import { loadBase } from './load-base.ts';
import { planEntries } from './plan-entries.ts';
import { createUploadProgress } from './upload-progress.ts';

/** Options of {@link createOciBuilder}. */
export interface OciBuilderOptions {
  /** Where layers and bases are kept between builds; made when it is not there. */
  readonly cacheDirectory: string;
  /** What a relative `oci:<folder>` or `docker-archive:<file>` is relative to. @defaultValue the plan's project */
  readonly baseDirectory?: string | undefined;
  /** How to talk to a base's registry: login, transport, retries. Called with its name. @defaultValue anonymous */
  readonly baseRegistry?: LoadBaseImageOptions['client'];
}

/** What docker itself takes for a base that does not say. */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Builds and pushes in this process, without an engine. The same plan, content and base always give the same digest. The
 * base is `scratch`, an image layout or a `docker save` archive on disk, or an image in a registry in which nothing has to
 * be installed: that one is looked up at every build, and got when it is not in the cache.
 *
 * @example
 * const builder = createOciBuilder({ cacheDirectory: '/home/ada/.cache/systemprompt' });
 */
export function createOciBuilder(options: OciBuilderOptions): ImageBuilder {
  const early = new WeakMap<BuiltImage, EarlyUpload>();
  return {
    kind: 'oci',
    async build(plan, buildOptions) {
      const { target, signal } = buildOptions;
      if (target === undefined) return build(plan, buildOptions, options);
      const upload = createEarlyUpload(target, { blobs: createBlobStore(options.cacheDirectory), signal });
      try {
        const image = await build(plan, buildOptions, { ...options, onLayer: upload.send });
        early.set(image, upload);
        return image;
      } catch (error) {
        await upload.stop();
        throw error;
      }
    },
    push: (image, target, pushOptions = {}) => push(image, target, { ...pushOptions, early: early.get(image) }),
  };
}

async function build(
  plan: ImagePlan,
  options: BuildOptions,
  builder: OciBuilderOptions & { readonly onLayer?: ((layer: Descriptor) => void) | undefined },
): Promise<BuiltImage> {
  const { onProgress, signal } = options;
  const blobs = createBlobStore(builder.cacheDirectory);
  const cache = createLayerCache(builder.cacheDirectory, blobs);
  const { cacheDirectory, baseDirectory = plan.projectRoot, baseRegistry } = builder;
  if (parseBase(plan.base).kind !== 'scratch') onProgress?.({ message: `base ${plan.base}` });
  const base = await loadBase(plan, { cacheDirectory, baseDirectory, baseRegistry, signal });
  try {
    const planned = planEntries(plan);
    const layers: BuiltLayer[] = [];
    const made: BuiltPlanLayer[] = [];
    for (const [index, { name, entries }] of planned.entries()) {
      throwIfAborted(signal);
      onProgress?.({ message: `layer ${name}`, done: index, total: planned.length });
      let cached = true;
      const layer = await cache.get(entries, () => {
        cached = false;
        return buildLayer(entries, { blobs, signal });
      });
      layers.push(layer);
      // What was built before was pushed before, most likely.
      if (!cached) builder.onLayer?.(layer.descriptor);
      made.push({ name, digest: layer.descriptor.digest, size: layer.descriptor.size, cached });
    }
    const { command } = plan.healthCheck;
    const checked =
      base !== undefined && command !== undefined && (await canCheckHealth(base, { cacheDirectory, signal }));
    if (!checked) onProgress?.({ message: `no health check in the image: nothing in ${plan.base} could run it` });
    const config = {
      ...imageConfig(plan, base?.image),
      ...(checked ? { healthcheck: healthcheck(plan.healthCheck) } : {}),
    };
    const annotations = baseAnnotations(plan, base);
    const image = await buildImage({ base: base?.image, layers, config, blobs, annotations, signal });
    onProgress?.({ message: `image ${image.manifest.digest}`, done: planned.length, total: planned.length });
    const all = base === undefined ? [blobs] : [blobs, base.blobs];
    return { kind: 'oci', image, blobs: all, layers: made, base: base?.pinned, healthCheck: checked };
  } catch (error) {
    throwIfAborted(signal);
    const isChanged = isOciError(error) && error.code === 'SP_OCI_FILE_CHANGED';
    const code = isChanged ? 'SP_DEPLOY_PROJECT_CHANGED' : 'SP_DEPLOY_BUILD_FAILED';
    throw new DeployError(code, `Cannot build ${options.name}: ${reason(error)}`, { cause: error });
  }
}

async function push(
  built: BuiltImage,
  target: RegistryToken,
  options: BuilderRunOptions & { readonly early?: EarlyUpload | undefined },
): Promise<PushedImage> {
  const { early, signal } = options;
  const { registry, repository, tag, username, token } = target;
  const failed = (why: string, cause?: unknown): DeployError =>
    new DeployError('SP_DEPLOY_PUSH_FAILED', `Cannot push ${registry}/${repository}:${tag}: ${why}`, { cause });
  if (built.kind !== 'oci') throw failed('the image is in a docker engine');
  try {
    const onProgress = createUploadProgress(options.onProgress);
    const sent = (await early?.finish(onProgress)) ?? 0;
    throwIfAborted(signal);
    const client = createRegistryClient({ registry, username, password: token });
    const image = { repository, reference: tag, blobs: built.blobs, onProgress, signal };
    const { digest, uploadedBytes } = await client.pushImage(built.image, image);
    return { digest, uploadedBytes: sent + uploadedBytes };
  } catch (error) {
    throwIfAborted(signal);
    throw failed(reason(error), error);
  }
}

/** What the image says of its base, in the specification's words. */
function baseAnnotations({ base }: ImagePlan, loaded: BaseImage | undefined): Record<string, string> | undefined {
  if (loaded?.pinned === undefined) return undefined;
  const digest = loaded.pinned.slice(loaded.pinned.indexOf('@') + 1);
  return { 'org.opencontainers.image.base.name': base, 'org.opencontainers.image.base.digest': digest };
}

function imageConfig(plan: ImagePlan, base: LoadedImage | undefined): ImageConfig {
  const inherited = base?.imageConfig.env?.find((line) => line.startsWith('PATH='))?.slice('PATH='.length);
  const path = inherited ?? defaultPath;
  return {
    architecture: base?.imageConfig.architecture ?? plan.platform?.architecture ?? 'amd64',
    os: base?.imageConfig.os ?? plan.platform?.os ?? 'linux',
    user: plan.user,
    env: Object.entries(plan.env).map(([name, value]) => `${name}=${value.replaceAll('$PATH', () => path)}`),
    cmd: plan.command,
    workingDir: plan.workingDir,
    exposedPorts: [plan.port],
    labels: plan.labels,
  };
}

function healthcheck({ command, ...check }: PlanHealthCheck): ImageHealthcheck | undefined {
  if (command === undefined) return undefined;
  const { intervalSeconds, timeoutSeconds, startPeriodSeconds, retries } = check;
  return { test: ['CMD-SHELL', command], intervalSeconds, timeoutSeconds, startPeriodSeconds, retries };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown reason';
}
