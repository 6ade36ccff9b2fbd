import type { RegistryToken, Release, SecretsDiff } from '@sp/cloud-api';
import { isCloudApiError } from '@sp/cloud-api';
import { createRegistryClient } from '@sp/oci';
import * as z from 'zod/mini';
import { DeployError, isDeployError, throwIfAborted } from '../deploy-error.ts';
import type { BuiltImage } from '../image-builder.ts';
import type { ImagePlan } from '../plan/image-plan.ts';
import { planImage } from '../plan/plan-image.ts';
import { type PlannedLayer, planLayerSizes } from '../plan/planned-layers.ts';
import { diffSecrets } from '../secrets/diff-secrets.ts';
import { currentRelease } from './deploy-api.ts';
import type { DeployExpectations, DeploySource } from './deploy-options.ts';
import { type ConfigurationDiff, diffConfiguration } from './diff-configuration.ts';
import { preflight } from './preflight.ts';

/** What a deploy would do. */
export interface DeployPlan {
  /** The tenant that it is for. */
  readonly tenantId: string;
  /** `registry/repository:tag`. */
  readonly image: string;
  /** Who would build the image. */
  readonly builder: 'oci' | 'docker';
  /** What would be in the image. */
  readonly imagePlan: ImagePlan;
  /** The base with the digest that its name stands for now; `undefined` when docker builds, or it is in no registry. */
  readonly base?: string | undefined;
  /** What the project adds to the base, the lowest first. */
  readonly layers: readonly PlannedLayer[];
  /** Whether engines find out from the image itself that it serves: `false` on a base that cannot run the check. Unknown when docker builds. */
  readonly healthCheck?: boolean | undefined;
  /** Of the image; unknown when docker builds. */
  readonly digest?: string | undefined;
  /** At most: the registry may have more than the images that it was asked for. Unknown when docker builds. */
  readonly uploadBytes?: number | undefined;
  /** Against the machine that runs. */
  readonly secrets: SecretsDiff;
  /** Against the image that runs; unknown when that one cannot be read, or docker builds. */
  readonly configuration?: ConfigurationDiff | undefined;
  /** The release that runs. */
  readonly current?: Release | undefined;
  /** Number of the release that the deploy makes. */
  readonly nextRelease: number;
  /** `none`: the old machine serves until the new one is healthy; `until-healthy`: nothing serves yet. */
  readonly downtime: 'none' | 'until-healthy';
  /** Whether the machine would run anything else than now; unknown when docker builds. */
  readonly changes?: boolean | undefined;
  /** For {@link deploy}, to apply exactly this. */
  readonly expected: DeployExpectations;
}

/**
 * Says what a deploy would do. Nothing of the project, the registry or the tenant changes; layers that the in-process
 * builder makes to know their sizes stay in its cache, so the deploy does not make them again.
 *
 * @throws {@link DeployError} as `deploy` would, without `step`
 * @example
 * const plan = await planDeploy(options);
 * console.log(plan.uploadBytes, plan.secrets.added, plan.nextRelease);
 * for await (const event of deploy({ ...options, ...plan.expected })) console.log(event.type);
 */
export async function planDeploy(options: DeploySource): Promise<DeployPlan> {
  const { api, tenantId, secrets = {}, pruneSecrets: prune = false } = options;
  const signal = options.signal ?? new AbortController().signal;
  try {
    const { builder, image } = (await preflight(options, signal)).value;
    const imagePlan = options.plan ?? (await planImage({ ...options.planOptions, signal }));
    const [releases, diff] = await Promise.all([
      api.releases.list(tenantId, { signal }),
      diffSecrets({ api, tenantId, secrets, prune, signal }),
    ]);
    const built = builder.kind === 'oci' ? await builder.build(imagePlan, { name: image, signal }) : undefined;
    const digest = built?.kind === 'oci' ? built.image.manifest.digest : undefined;
    const current = releases.find((release) => release.status === 'running');
    const target = await api.tenants.getRegistryToken(tenantId, { signal });
    const sameSecrets = [diff.added, diff.changed, diff.removed].every((names) => names.length === 0);
    return {
      tenantId,
      image,
      builder: builder.kind,
      imagePlan,
      base: built?.kind === 'oci' ? built.base : undefined,
      layers: await planLayerSizes(imagePlan, built),
      healthCheck: built?.kind === 'oci' ? built.healthCheck : undefined,
      digest,
      uploadBytes: built === undefined ? undefined : await missingBytes(built, { target, current, signal }),
      secrets: diff,
      configuration: built === undefined ? undefined : await diffConfiguration(built, { target, current, signal }),
      current,
      nextRelease: (releases[0]?.number ?? 0) + 1,
      downtime: current === undefined ? 'until-healthy' : 'none',
      changes: digest === undefined ? undefined : digest !== current?.digest || !sameSecrets,
      expected: {
        expectedRelease: currentRelease(releases),
        expectedSecretsVersion: diff.version,
        expectedDigest: digest,
      },
    };
  } catch (error) {
    throwIfAborted(options.signal);
    if (isDeployError(error) || !isCloudApiError(error)) throw error;
    const message = `Cannot plan a deploy of tenant ${tenantId}: ${error.message}`;
    throw new DeployError('SP_DEPLOY_API_FAILED', message, { tenantId, cause: error });
  }
}

const manifestSchema = z.object({
  config: z.object({ digest: z.string() }),
  layers: z.array(z.object({ digest: z.string() })),
});

/** Bytes of the blobs of an image that are neither in the tag's image nor in the one that runs. */
async function missingBytes(
  built: BuiltImage,
  remote: {
    readonly target: RegistryToken;
    readonly current: Release | undefined;
    readonly signal: AbortSignal;
  },
): Promise<number | undefined> {
  if (built.kind !== 'oci') return undefined;
  const { target, current, signal } = remote;
  const { registry, repository, tag, username, token } = target;
  const client = createRegistryClient({ registry, username, password: token });
  const there = new Set<string>();
  for (const reference of [tag, ...(current === undefined ? [] : [current.digest])]) {
    try {
      const { bytes } = await client.getManifest(repository, reference, { signal });
      const manifest = manifestSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
      for (const { digest } of [manifest.config, ...manifest.layers]) there.add(digest);
    } catch {
      // Not there, or not readable: then nothing is known to be there, and all of it counts.
      throwIfAborted(signal);
    }
  }
  const { config, layers } = built.image;
  const parts = new Map([config, ...layers].map(({ digest, size }) => [digest as string, size]));
  return Array.from(parts)
    .filter(([digest]) => !there.has(digest))
    .reduce((sum, [, size]) => sum + size, 0);
}
