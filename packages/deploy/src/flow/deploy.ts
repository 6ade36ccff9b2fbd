import { DeployError } from '../deploy-error.ts';
import type { ImageBuilder, PushedImage } from '../image-builder.ts';
import { planImage } from '../plan/plan-image.ts';
import { refuseSecretNames } from '../secrets/secret-names.ts';
import type { DeployEvent, DeployResult } from './deploy-event.ts';
import type { DeployOptions } from './deploy-options.ts';
import { findTarget, type Preflight, preflight, sameTarget } from './preflight.ts';
import { runStep, type StepContext, secondsSince } from './run-step.ts';
import { startRelease } from './start-release.ts';
import { streamEvents } from './stream-events.ts';
import { waitForResult } from './wait-for-result.ts';

/**
 * Deploys a project to a tenant: preflight, plan, build, push, secrets, deploy, health, each an event. Every step is safe
 * to repeat, so a deploy that failed is simply run again; one that the server goes on with is taken up. A consumer that
 * stops early stops the deploy.
 *
 * @throws {@link DeployError} with `step`
 * @example
 * const planOptions = { projectRoot: '/home/ada/site', profileName: 'production' };
 * for await (const event of deploy({ api, tenantId, planOptions, cacheDirectory })) console.log(event.type);
 */
export function deploy(options: DeployOptions): AsyncIterable<DeployEvent> {
  return streamEvents((emit, signal) => run(options, { tenantId: options.tenantId, emit, signal }), options.signal);
}

/** Of a step that has nothing to do, because the registry has the image. */
const skipped = { value: undefined, facts: { skipped: true } } as const;

async function run(options: DeployOptions, context: StepContext): Promise<void> {
  const { api, tenantId, secrets = {}, skipPush = false, healthTimeoutMs = 120_000, pollIntervalMs = 500 } = options;
  const { expectedDigest, expectedRelease, pruneSecrets = false } = options;
  const { emit, signal } = context;
  const started = performance.now();

  type Found = Omit<Preflight, 'builder'> & { readonly builder: ImageBuilder | undefined };
  const { builder, image, target, newest } = await runStep<Found>('preflight', context, async () => {
    refuseSecretNames(Object.keys(secrets));
    if (!skipPush) return await preflight(options, signal);
    const { value, facts } = await findTarget(options, signal);
    return { value: { ...value, builder: undefined }, facts };
  });
  const plan = await runStep('plan', context, async () => {
    if (builder === undefined) return skipped;
    const value = options.plan ?? (await planImage({ ...options.planOptions, signal }));
    return { value, facts: { base: value.base, files: value.files.length } };
  });
  const built = await runStep('build', context, async (onProgress) => {
    if (builder === undefined || plan === undefined) return skipped;
    // What may turn out to be another image than was planned is not sent before that is known.
    const early = expectedDigest === undefined ? target : undefined;
    const value = await builder.build(plan, { name: image, target: early, onProgress, signal });
    const digest = value.kind === 'oci' ? value.image.manifest.digest : undefined;
    if (digest !== undefined && expectedDigest !== undefined && digest !== expectedDigest) {
      const message = `The project is not what was planned: it makes ${digest}, not ${expectedDigest}`;
      throw new DeployError('SP_DEPLOY_PROJECT_CHANGED', message);
    }
    return { value, facts: { builder: builder.kind, ...(digest === undefined ? {} : { digest }) } };
  });
  const pushed = await runStep('push', context, async (onProgress) => {
    if (builder === undefined || built === undefined) return skipped;
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
    if (!pruneSecrets) return { value: undefined, facts: { count } };
    const { keys } = await api.secrets.list(tenantId, { signal });
    const gone = keys.filter((name) => !Object.hasOwn(secrets, name));
    for (const name of gone) await api.secrets.delete(tenantId, name, { signal });
    return { value: undefined, facts: { count, removed: gone.length } };
  });
  const response = await runStep('deploy', context, async () => {
    const request = { image, digest: pushed?.digest, expectedRelease };
    const value = await startRelease({ api, tenantId, request, newest, signal });
    const { status, releaseId } = value;
    context.operationId = releaseId;
    return { value, facts: { status, ...(releaseId === undefined ? {} : { operationId: releaseId }) } };
  });
  const { status, appUrl, release } = await runStep('health', context, async (onProgress) => {
    const wait = { api, tenantId, timeoutMs: healthTimeoutMs, pollIntervalMs, onProgress, signal };
    const value = await waitForResult(response, wait);
    return { value, facts: { status: value.status, ...(value.appUrl === undefined ? {} : { appUrl: value.appUrl }) } };
  });
  const result: DeployResult = {
    tenantId,
    image,
    digest: response.digest ?? pushed?.digest,
    status,
    appUrl,
    operationId: response.releaseId,
    release,
    uploadedBytes: skipPush ? 0 : pushed?.uploadedBytes,
    seconds: secondsSince(started),
  };
  emit({ type: 'deploy-completed', result });
}
