import type { CloudApiClient, RegistryToken } from '@sp/cloud-api';
import { DeployError } from '../deploy-error.ts';
import { type ImageBuilder, imageName, type PushedImage } from '../image-builder.ts';
import type { ImagePlan } from '../plan/image-plan.ts';
import { defaultBase, type PlanImageOptions, planImage } from '../plan/plan-image.ts';
import { type BuilderChoice, resolveBuilder } from '../resolve-builder.ts';
import type { DeployEvent, DeployResult } from './deploy-event.ts';
import { runStep, type StepContext, secondsSince } from './run-step.ts';
import { streamEvents } from './stream-events.ts';
import { waitUntilRunning } from './wait-until-running.ts';

/** What is deployed, and where to. */
export type DeployOptions = {
  readonly api: Pick<CloudApiClient, 'tenants' | 'secrets'>;
  readonly tenantId: string;
  /** @defaultValue 'auto' */
  readonly builder?: BuilderChoice | undefined;
  /** Where the in-process builder keeps layers between deploys. */
  readonly cacheDirectory: string;
  /** Environment variables that are set before the new machine starts. @defaultValue none */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** Builds, but runs what the registry has already. @defaultValue false */
  readonly skipPush?: boolean | undefined;
  /** How long the new machine may take to be healthy. @defaultValue 120_000 */
  readonly healthTimeoutMs?: number | undefined;
  /** @defaultValue 500 */
  readonly pollIntervalMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
} & (
  | { readonly plan: ImagePlan; readonly planOptions?: undefined }
  | { readonly planOptions: PlanImageOptions; readonly plan?: undefined }
);

/**
 * Deploys a project to a tenant: preflight, plan, build, push, secrets, deploy, health, each an event. Every step is safe
 * to repeat, so a deploy that failed is simply run again. A consumer that stops early stops the deploy.
 *
 * @throws {@link DeployError} with `step`
 * @example
 * const planOptions = { projectRoot: '/home/ada/site', profileName: 'production' };
 * for await (const event of deploy({ api, tenantId, planOptions, cacheDirectory })) console.log(event.type);
 */
export function deploy(options: DeployOptions): AsyncIterable<DeployEvent> {
  return streamEvents((emit, signal) => run(options, { tenantId: options.tenantId, emit, signal }), options.signal);
}

async function run(options: DeployOptions, context: StepContext): Promise<void> {
  const { api, tenantId, secrets = {}, skipPush = false, healthTimeoutMs = 120_000, pollIntervalMs = 500 } = options;
  const { emit, signal } = context;
  const started = performance.now();

  const { builder, image } = await runStep('preflight', context, () => preflight(options, signal));
  const plan = await runStep('plan', context, async () => {
    const value = options.plan ?? (await planImage({ ...options.planOptions, signal }));
    return { value, facts: { base: value.base, files: value.files.length } };
  });
  const built = await runStep('build', context, async (onProgress) => {
    const value = await builder.build(plan, { name: image, onProgress, signal });
    return {
      value,
      facts: { builder: builder.kind, ...(value.kind === 'oci' ? { digest: value.image.manifest.digest } : {}) },
    };
  });
  const pushed = await runStep('push', context, async (onProgress) => {
    if (skipPush) return { value: undefined, facts: { skipped: true } };
    // A token lives for minutes, and the build may have taken longer.
    const target = await sameTarget(api, { tenantId, image, signal });
    const value: PushedImage = await builder.push(built, target, { onProgress, signal });
    const { digest, uploadedBytes } = value;
    return { value, facts: { digest, ...(uploadedBytes === undefined ? {} : { uploadedBytes }) } };
  });
  // Before the machine starts: it reads them only then.
  await runStep('secrets', context, async () => {
    const count = Object.keys(secrets).length;
    if (count > 0) await api.secrets.set(tenantId, secrets, { signal });
    return { value: undefined, facts: { count } };
  });
  const response = await runStep('deploy', context, async () => {
    const request = pushed === undefined ? { image } : { image, digest: pushed.digest };
    const value = await api.tenants.deploy(tenantId, request, { signal });
    return { value, facts: { status: value.status } };
  });
  const { status, appUrl } = await runStep('health', context, async (onProgress) => {
    const wait = { api, tenantId, timeoutMs: healthTimeoutMs, pollIntervalMs, onProgress, signal };
    const value = await waitUntilRunning(response, wait);
    return { value, facts: { status: value.status, ...(value.appUrl === undefined ? {} : { appUrl: value.appUrl }) } };
  });
  const result: DeployResult = {
    tenantId,
    image,
    digest: response.digest ?? pushed?.digest,
    status,
    appUrl,
    uploadedBytes: skipPush ? 0 : pushed?.uploadedBytes,
    seconds: secondsSince(started),
  };
  emit({ type: 'deploy-completed', result });
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
async function preflight(
  options: DeployOptions,
  signal: AbortSignal,
): Promise<{
  readonly value: { readonly builder: ImageBuilder; readonly image: string };
  readonly facts: { readonly image: string; readonly builder: string; readonly status: string };
}> {
  const { api, tenantId, builder: choice = 'auto', cacheDirectory } = options;
  const { status } = await api.tenants.getStatus(tenantId, { signal });
  if (notReady.has(status)) {
    const message = `Cannot deploy to tenant ${tenantId}: its status is ${status}`;
    throw new DeployError('SP_DEPLOY_TENANT_NOT_READY', message, { tenantId, status });
  }
  const image = imageName(await api.tenants.getRegistryToken(tenantId, { signal }));
  const base = options.plan?.base ?? options.planOptions?.base ?? defaultBase;
  const builder = await resolveBuilder({ choice, base, cacheDirectory, signal });
  return { value: { builder, image }, facts: { image, builder: builder.kind, status } };
}

async function sameTarget(
  api: Pick<CloudApiClient, 'tenants'>,
  { tenantId, image, signal }: { readonly tenantId: string; readonly image: string; readonly signal: AbortSignal },
): Promise<RegistryToken> {
  const target = await api.tenants.getRegistryToken(tenantId, { signal });
  if (imageName(target) === image) return target;
  throw new DeployError(
    'SP_DEPLOY_PUSH_FAILED',
    `Cannot push ${image}: the tenant's image is now ${imageName(target)}`,
  );
}
