import type { ProvisioningEvent, TenantStatus } from '@sp/cloud-api';
import { CheckoutError } from './checkout-error.ts';
import { plainText } from './plain-text.ts';

/** Where provisioning ended. */
export interface ProvisioningOutcome {
  /** The event that ended it; made up from the tenant's status when the stream did not bring it. */
  readonly event: ProvisioningEvent;
  /** True: the infrastructure waits for a first image; false: the tenant runs. */
  readonly needsDeploy: boolean;
}

/** The failure of provisioning, in the server's words. */
export function provisioningFailed(tenantId: string, message: string | undefined): CheckoutError {
  const reason = message === undefined ? undefined : plainText(message);
  const why = reason ?? 'no reason given';
  return new CheckoutError(
    'SP_CHECKOUT_PROVISIONING_FAILED',
    `Provisioning of tenant ${plainText(tenantId)} failed: ${why}`,
    {
      tenantId,
      reason,
    },
  );
}

/** Whether an event says that provisioning is over, well or badly. */
export function endsProvisioning({ eventType }: ProvisioningEvent): boolean {
  return ['infrastructure_ready', 'tenant_ready', 'provisioning_failed'].includes(eventType);
}

/**
 * What such an event means, seen with the status that was asked for after it; `undefined` when it is an old one: the
 * tenant has gone on since, or its provisioning was begun anew. Throws for a failure.
 */
export function confirmedOutcome(
  event: ProvisioningEvent,
  status: TenantStatus | undefined,
): ProvisioningOutcome | undefined {
  const { tenantId, eventType, message } = event;
  const failed = eventType === 'provisioning_failed';
  const needsDeploy = eventType === 'infrastructure_ready';
  if (status === undefined) {
    if (failed) throw provisioningFailed(tenantId, message);
    return { event, needsDeploy };
  }
  const reason = status.message ?? (failed ? message : undefined);
  const now = outcomeOfStatus(tenantId, { ...status, message: reason });
  if (now !== undefined) return now.needsDeploy === needsDeploy && !failed ? { event, needsDeploy } : now;
  // Some servers send an event before their status says so.
  const maybeLate = ['provisioning', 'pending_payment', 'pending'].includes(status.status);
  return maybeLate && !failed ? { event, needsDeploy } : undefined;
}

/** What a status means, in the same way; servers of both generations are understood. */
export function outcomeOfStatus(
  tenantId: string,
  { status, message, appUrl }: TenantStatus,
): ProvisioningOutcome | undefined {
  if (['failed', 'provision_failed', 'error'].includes(status)) throw provisioningFailed(tenantId, message);
  const needsDeploy = ['awaiting_deploy', 'infrastructure_ready'].includes(status);
  if (!needsDeploy && !['ready', 'running', 'deployed'].includes(status)) return undefined;
  const eventType = needsDeploy ? 'infrastructure_ready' : 'tenant_ready';
  return { event: { tenantId, eventType, status, message, appUrl }, needsDeploy };
}
