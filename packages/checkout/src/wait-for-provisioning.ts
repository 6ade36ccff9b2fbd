import { setTimeout as delay } from 'node:timers/promises';
import { type CloudApiClient, isCloudApiError, type ProvisioningEvent } from '@sp/cloud-api';
import { withDeadline } from './deadline.ts';
import { outcomeOfEvent, outcomeOfStatus, type ProvisioningOutcome } from './provisioning-outcome.ts';

/** What to wait for. */
export interface WaitForProvisioningOptions {
  readonly api: Pick<CloudApiClient, 'tenants'>;
  readonly tenantId: string;
  readonly onEvent?: ((event: ProvisioningEvent) => void) | undefined;
  /** Between two questions once the event stream has failed. @defaultValue 2000 */
  readonly pollIntervalMs?: number | undefined;
  /** @defaultValue 120_000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until a tenant runs, or its infrastructure waits for a first image. It follows the tenant's events; its status is
 * asked for when they fail, and now and then beside them, since some proxies hold streams back.
 *
 * @throws {@link CheckoutError} `SP_CHECKOUT_PROVISIONING_FAILED`, `SP_CHECKOUT_TIMEOUT`, `SP_CHECKOUT_ABORTED`
 * @throws {CloudApiError} when the login is not valid, or there is no such tenant
 */
export async function waitForProvisioning(options: WaitForProvisioningOptions): Promise<ProvisioningOutcome> {
  const { tenantId, timeoutMs = 120_000, pollIntervalMs = 2000, signal } = options;
  const facts = (): { tenantId: string } => ({ tenantId });
  return withDeadline({ what: `tenant ${tenantId}`, timeoutMs, signal, facts }, async (signal) => {
    const streaming = new AbortController();
    const byEvents = followTenant(options, signal).finally(() => streaming.abort());
    const byStatus = pollStatus(options, { pollIntervalMs, streaming: streaming.signal, signal });
    // A stream that ended without a result leaves it to the polling.
    return Promise.race([byEvents.then((outcome) => outcome ?? byStatus), byStatus]);
  });
}

async function followTenant(
  { api, tenantId, onEvent }: WaitForProvisioningOptions,
  signal: AbortSignal,
): Promise<ProvisioningOutcome | undefined> {
  try {
    for await (const event of api.tenants.events(tenantId, { signal })) {
      onEvent?.(event);
      const outcome = outcomeOfEvent(event);
      if (outcome !== undefined) return outcome;
    }
  } catch (error) {
    if (!isCloudApiError(error)) throw error;
  }
  return undefined;
}

/** While the stream is open, five times as slowly. */
const slowness = 5;

async function pollStatus(
  { api, tenantId }: WaitForProvisioningOptions,
  { pollIntervalMs, streaming, signal }: { pollIntervalMs: number; streaming: AbortSignal; signal: AbortSignal },
): Promise<ProvisioningOutcome> {
  const streamed = AbortSignal.any([streaming, signal]);
  for (;;) {
    // The end of the stream cuts the long pause short; the end of everything ends it.
    if (!streaming.aborted)
      await delay(pollIntervalMs * slowness, undefined, { signal: streamed }).catch(() => undefined);
    try {
      const outcome = outcomeOfStatus(tenantId, await api.tenants.getStatus(tenantId, { signal }));
      if (outcome !== undefined) return outcome;
    } catch (error) {
      if (!isCloudApiError(error) || isFinal(error.code)) throw error;
    }
    if (streaming.aborted) await delay(pollIntervalMs, undefined, { signal });
  }
}

function isFinal(code: string): boolean {
  return ['SP_API_UNAUTHORIZED', 'SP_API_FORBIDDEN', 'SP_API_NOT_FOUND', 'SP_API_ABORTED'].includes(code);
}
