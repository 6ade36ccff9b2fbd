export { followLogs } from './follow-logs.ts';

import type { CheckoutSession } from './contract/checkout.ts';
import type { CheckoutEvent, ProvisioningEvent } from './contract/events.ts';
import { contract } from './contract/table.ts';
import type { TenantStatus } from './contract/tenants.ts';
import { type EventStreamOptions, followEvents } from './event-stream.ts';
import { eventOfStatus } from './tenant-look.ts';
import type { Transport } from './transport.ts';

const { tenants, checkout } = contract;

const isTenantEnd = (event: ProvisioningEvent): boolean =>
  ['tenant_ready', 'provisioning_failed', 'tenant_deleted'].includes(event.eventType);

const isCheckoutEnd = (event: ProvisioningEvent): boolean =>
  event.eventType === 'infrastructure_ready' || isTenantEnd(event);

/** A tenant's events until it runs, or will not. */
export function followTenant(
  transport: Transport,
  id: string,
  options: EventStreamOptions,
): AsyncIterable<ProvisioningEvent> {
  const look = (signal: AbortSignal): Promise<ProvisioningEvent | undefined> => lookAtTenant(transport, id, signal);
  return followEvents(transport, tenants.events, { id }, { ...options, isTerminal: isTenantEnd, look });
}

/** The events of the tenant that a checkout pays for, until an image can be deployed to it, or never will. */
export function followCheckout(
  transport: Transport,
  id: string,
  options: EventStreamOptions,
): AsyncIterable<CheckoutEvent> {
  const look = async (signal: AbortSignal, last: CheckoutEvent | undefined): Promise<CheckoutEvent | undefined> => {
    const session = last ?? ((await transport.call(checkout.get, { params: { id }, signal })) as CheckoutSession);
    const { tenantId, tenantName } = session;
    // Nobody has paid yet.
    if (tenantId === undefined) return undefined;
    const event = await lookAtTenant(transport, tenantId, signal);
    return event && { ...event, checkoutSessionId: id, tenantName: tenantName ?? '' };
  };
  return followEvents(transport, checkout.events, { id }, { ...options, isTerminal: isCheckoutEnd, look });
}

async function lookAtTenant(
  transport: Transport,
  id: string,
  signal: AbortSignal,
): Promise<ProvisioningEvent | undefined> {
  const status = await transport.call(tenants.getStatus, { params: { id }, signal });
  return eventOfStatus(id, status as TenantStatus);
}
