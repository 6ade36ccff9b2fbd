import type { RegistryToken } from '@sp/cloud-api';
import { DeployError } from '../deploy-error.ts';
import { findProfileDockerfile } from '../dockerfile/profile-dockerfile.ts';
import { type ImageBuilder, imageName } from '../image-builder.ts';
import { defaultBase } from '../plan/plan-image.ts';
import { resolveBuilder } from '../resolve-builder.ts';
import { currentRelease, type DeployApi, findReleases } from './deploy-api.ts';
import type { DeployExpectations, DeploySource } from './deploy-options.ts';
import { remoteMovedError } from './start-release.ts';

/** What a deploy knows before it builds. */
export interface Preflight {
  readonly builder: ImageBuilder;
  /** `registry/repository:tag`. */
  readonly image: string;
  /** The token that `image` is of; it lives for minutes. */
  readonly target: RegistryToken;
  /** Number of the newest release, failed ones too; unknown from a server that does not know releases. */
  readonly newest: number | undefined;
}

/** States in which there is nothing to deploy to. */
const notReady: ReadonlySet<string> = new Set([
  'pending_payment',
  'provisioning',
  'provision_failed',
  'suspended',
  'deleting',
  'deleted',
]);

/** Finds out what could fail later, before minutes go into a build. */
export async function preflight(
  options: DeploySource & DeployExpectations,
  signal: AbortSignal,
): Promise<{ readonly value: Preflight; readonly facts: TargetFacts & { readonly builder: string } }> {
  const { builder: choice = 'auto', cacheDirectory, baseRegistry, docker } = options;
  const { value, facts } = await findTarget(options, signal);
  const base = options.plan?.base ?? options.planOptions?.base ?? defaultBase;
  const dockerfile = await dockerfileOf(options);
  const builder = await resolveBuilder({ choice, base, dockerfile, cacheDirectory, baseRegistry, docker, signal });
  return { value: { ...value, builder }, facts: { ...facts, builder: builder.kind } };
}

// No interface: those have no place for other steps' facts.
type TargetFacts = { readonly image: string; readonly status: string };

/** The same for what was pushed before: nothing is built, so nobody is needed who could. */
export async function findTarget(
  options: DeploySource & DeployExpectations,
  signal: AbortSignal,
): Promise<{ readonly value: Omit<Preflight, 'builder'>; readonly facts: TargetFacts }> {
  const { api, tenantId } = options;
  const { status } = await api.tenants.getStatus(tenantId, { signal });
  if (notReady.has(status)) {
    const message = `Cannot deploy to tenant ${tenantId}: its status is ${status}`;
    throw new DeployError('SP_DEPLOY_TENANT_NOT_READY', message, { tenantId, status });
  }
  const newest = await checkExpectations(options, signal);
  const target = await api.tenants.getRegistryToken(tenantId, { signal });
  const image = imageName(target);
  return { value: { image, target, newest }, facts: { image, status } };
}

/** Path of the profile's Dockerfile when it was edited by hand. */
async function dockerfileOf({ plan, planOptions }: DeploySource): Promise<string | undefined> {
  if (plan !== undefined) return plan.dockerfile?.path;
  return (await findProfileDockerfile(planOptions.projectRoot, planOptions.profileName))?.path;
}

async function checkExpectations(
  options: DeploySource & DeployExpectations,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { api, tenantId, expectedRelease, expectedSecretsVersion } = options;
  const releases = await findReleases({ api, tenantId, signal });
  const current = currentRelease(releases ?? []);
  if (expectedRelease !== undefined && current !== expectedRelease) {
    const why = `it runs release ${current}, not ${expectedRelease}`;
    throw remoteMovedError(tenantId, { why, release: current });
  }
  if (expectedSecretsVersion !== undefined) {
    const { version } = await api.releases.diffSecrets(tenantId, { secrets: {} }, { signal });
    const why = `its secrets are at version ${version}, not ${expectedSecretsVersion}`;
    if (version !== expectedSecretsVersion) throw remoteMovedError(tenantId, { why, release: current });
  }
  return releases === undefined ? undefined : (releases[0]?.number ?? 0);
}

/** A fresh token for the image that was built. */
export async function sameTarget(
  api: Pick<DeployApi, 'tenants'>,
  { tenantId, image, signal }: { readonly tenantId: string; readonly image: string; readonly signal: AbortSignal },
): Promise<RegistryToken> {
  const target = await api.tenants.getRegistryToken(tenantId, { signal });
  if (imageName(target) === image) return target;
  throw new DeployError(
    'SP_DEPLOY_PUSH_FAILED',
    `Cannot push ${image}: the tenant's image is now ${imageName(target)}`,
  );
}
