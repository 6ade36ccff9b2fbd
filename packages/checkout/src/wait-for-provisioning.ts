import { setTimeout as delay } from 'node:timers/promises';
import { type CloudApiClient, isCloudApiError, type ProvisioningEvent, type TenantStatus } from '@sp/cloud-api';
import { withDeadline } from './deadline.ts';
import {
  confirmedOutcome,
  endsProvisioning,
  outcomeOfStatus,
  type ProvisioningOutcome,
} from './provisioning-outcome.ts';

/** What to wait for. */
export interface WaitForProvisioningOptions {
  /** A client, or the part of one that is needed. */
  readonly api: Pick<CloudApiClient, 'tenants'>;
  /** The tenant that is being made. */
  readonly tenantId: string;
  /** Told of each event, also of those before the wait began. */
  readonly onEvent?: ((event: ProvisioningEvent) => void) | undefined;
  /** Between two questions once the event stream has failed. @defaultValue 2000 */
  readonly pollIntervalMs?: number | undefined;
  /** How long to wait, in milliseconds. @defaultValue 120_000 */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait with `SP_CHECKOUT_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until a tenant runs, or its infrastructure waits for a first image. The tenant's events say when something
 * happened, its status says what is so now: a stream begins with events of long ago. The status is also asked for when
 * the stream fails, and now and then beside it, since some proxies hold streams back.
 *
 * @throws {@link CheckoutError} `SP_CHECKOUT_PROVISIONING_FAILED`, `SP_CHECKOUT_TIMEOUT`, `SP_CHECKOUT_ABORTED`
 * @throws {CloudApiError} when the login is not valid, or there is no such tenant
 * @example
 * const { needsDeploy } = await waitForProvisioning({ api, tenantId: 't_1' });
 */
export async function waitForProvisioning(options: WaitForProvisioningOptions): Promise<ProvisioningOutcome> {
  const { tenantId, timeoutMs = 120_000, pollIntervalMs = 2000, signal } = options;
  const facts = (): { tenantId: string } => ({ tenantId });
  return withDeadline({ what: `tenant ${tenantId}`, timeoutMs, signal, facts }, async (signal) => {
    const status = await getStatus(options, signal);
    const already = status && outcomeOfStatus(tenantId, status);
    if (already !== undefined) return already;
    const streaming = new AbortController();
    const byEvents = followTenant(options, signal).finally(() => streaming.abort());
    const byStatus = pollStatus(options, { pollIntervalMs, streaming: streaming.signal, signal });
    // A stream that ended without a result leaves it to the polling.
    return Promise.race([byEvents.then((outcome) => outcome ?? byStatus), byStatus]);
  });
}

async function followTenant(
  options: WaitForProvisioningOptions,
  signal: AbortSignal,
): Promise<ProvisioningOutcome | undefined> {
  const { api, tenantId, onEvent } = options;
  try {
    for await (const event of api.tenants.events(tenantId, { signal })) {
      onEvent?.(event);
      if (!endsProvisioning(event)) continue;
      const outcome = confirmedOutcome(event, await getStatus(options, signal));
      if (outcome !== undefined) return outcome;
    }
  } catch (error) {
    // Whether that is the end of it, the next question for the status tells.
    if (!isCloudApiError(error)) throw error;
  }
  return undefined;
}

/** The status, or `undefined` when the server does not tell just now. */
async function getStatus(
  { api, tenantId }: WaitForProvisioningOptions,
  signal: AbortSignal,
): Promise<TenantStatus | undefined> {
  try {
    return await api.tenants.getStatus(tenantId, { signal });
  } catch (error) {
    if (!isCloudApiError(error) || isFinal(error.code)) throw error;
    return undefined;
  }
}

/** While the stream is open, five times as slowly. */
const slowness = 5;

async function pollStatus(
  options: WaitForProvisioningOptions,
  { pollIntervalMs, streaming, signal }: { pollIntervalMs: number; streaming: AbortSignal; signal: AbortSignal },
): Promise<ProvisioningOutcome> {
  const streamed = AbortSignal.any([streaming, signal]);
  for (;;) {
    // The end of the stream cuts the long pause short; the end of everything ends it.
    if (!streaming.aborted)
      await delay(pollIntervalMs * slowness, undefined, { signal: streamed }).catch(() => undefined);
    const status = await getStatus(options, signal);
    const outcome = status && outcomeOfStatus(options.tenantId, status);
    if (outcome !== undefined) return outcome;
    if (streaming.aborted) await delay(pollIntervalMs, undefined, { signal });
  }
}

function isFinal(code: string): boolean {
  return ['SP_API_UNAUTHORIZED', 'SP_API_FORBIDDEN', 'SP_API_NOT_FOUND', 'SP_API_ABORTED'].includes(code);
}
