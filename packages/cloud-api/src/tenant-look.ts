import type { ProvisioningEvent } from './contract/events.ts';
import type { TenantStatus } from './contract/tenants.ts';

/** Statuses of both generations of servers, and the events that lead to them. */
const events: Readonly<Record<string, string>> = {
  awaiting_deploy: 'infrastructure_ready',
  ready: 'tenant_ready',
  running: 'tenant_ready',
  deployed: 'tenant_ready',
  provision_failed: 'provisioning_failed',
  failed: 'provisioning_failed',
  error: 'provisioning_failed',
};

/** What a tenant's status says, as the event that led to it; `undefined` while it is on its way. */
export function eventOfStatus(tenantId: string, status: TenantStatus): ProvisioningEvent | undefined {
  const eventType = Object.hasOwn(events, status.status) ? events[status.status] : undefined;
  if (eventType === undefined) return undefined;
  return { tenantId, eventType, status: status.status, message: status.message, appUrl: status.appUrl };
}
