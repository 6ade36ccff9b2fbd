import type { ProvisioningEvent } from '@sp/cloud-api';
import { CheckoutError } from './checkout-error.ts';

/** Where provisioning ended. */
export interface ProvisioningOutcome {
  /** The event that ended it; made up from the tenant's status when the stream did not bring it. */
  readonly event: ProvisioningEvent;
  /** True: the infrastructure waits for a first image; false: the tenant runs. */
  readonly needsDeploy: boolean;
}

/** The failure of provisioning, in the server's words. */
export function provisioningFailed(tenantId: string, message: string | undefined): CheckoutError {
  const why = message ?? 'no reason given';
  return new CheckoutError('SP_CHECKOUT_PROVISIONING_FAILED', `Provisioning of tenant ${tenantId} failed: ${why}`, {
    tenantId,
    reason: message,
  });
}

/** What an event means: an end, or `undefined` for a step on the way. Throws for a failure. */
export function outcomeOfEvent(event: ProvisioningEvent): ProvisioningOutcome | undefined {
  if (event.eventType === 'provisioning_failed') throw provisioningFailed(event.tenantId, event.message);
  if (event.eventType === 'infrastructure_ready') return { event, needsDeploy: true };
  return event.eventType === 'tenant_ready' ? { event, needsDeploy: false } : undefined;
}

/** What a status means, in the same way; servers of both generations are understood. */
export function outcomeOfStatus(
  tenantId: string,
  {
    status,
    message,
    appUrl,
  }: { readonly status: string; readonly message?: string | undefined; readonly appUrl?: string | undefined },
): ProvisioningOutcome | undefined {
  if (['failed', 'provision_failed', 'error'].includes(status)) throw provisioningFailed(tenantId, message);
  const needsDeploy = ['awaiting_deploy', 'infrastructure_ready'].includes(status);
  if (!needsDeploy && !['ready', 'running', 'deployed'].includes(status)) return undefined;
  const eventType = needsDeploy ? 'infrastructure_ready' : 'tenant_ready';
  return { event: { tenantId, eventType, status, message, appUrl }, needsDeploy };
}
