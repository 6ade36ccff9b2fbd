import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { maybe, open } from './schema.ts';

/** The steps of provisioning in the order in which they happen. */
export const provisioningEventTypes = [
  'subscription_created',
  'tenant_created',
  'database_created',
  'secrets_stored',
  'vm_provisioning_started',
  'vm_provisioning_progress',
  'vm_provisioned',
  'secrets_configured',
  'infrastructure_ready',
  'tenant_ready',
  'provisioning_failed',
] as const;

/** What happened; `infrastructure_ready`: phase 1 is done and an image can be deployed; `tenant_ready`: it runs. */
export type ProvisioningEventType = (typeof provisioningEventTypes)[number] | (string & {});

/** One step of a tenant's life. */
export interface ProvisioningEvent {
  /** The tenant that it happened to. */
  readonly tenantId: string;
  /** The step; one of a newer server passes through. */
  readonly eventType: ProvisioningEventType;
  /** The tenant's status after the event. */
  readonly status: string;
  /** When it happened, RFC 3339; older servers do not tell. */
  readonly occurredAt?: string | undefined;
  /** One line for people. */
  readonly message?: string | undefined;
  /** The tenant's page, once there is one. */
  readonly appUrl?: string | undefined;
  /** Name of the app that runs the tenant's machine, once there is one. */
  readonly flyAppName?: string | undefined;
}

/** One step of the tenant that a checkout pays for. */
export interface CheckoutEvent extends ProvisioningEvent {
  /** The checkout that pays for the tenant. */
  readonly checkoutSessionId: string;
  /** The tenant's name. */
  readonly tenantName: string;
}

const provisioningMembers = {
  tenantId: z.string(),
  eventType: open<(typeof provisioningEventTypes)[number]>(),
  status: z.string(),
  occurredAt: maybe(z.string()),
  message: maybe(z.string()),
  appUrl: maybe(z.string()),
  flyAppName: maybe(z.string()),
};

const provisioningEventSchema: z.ZodMiniType<ProvisioningEvent> = z.object(provisioningMembers);

const checkoutEventSchema: z.ZodMiniType<CheckoutEvent> = z.object({
  ...provisioningMembers,
  checkoutSessionId: z.string(),
  tenantName: z.string(),
});

/** The name of the SSE event that carries a provisioning step; `heartbeat` keeps the connection open. */
export const provisioningEventName = 'provisioning';

export const tenantEvents = endpoint({
  summary: "A tenant's events, live and from the beginning or after Last-Event-ID.",
  method: 'GET',
  path: '/api/v1/tenants/{id}/events',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
  kind: 'events',
  response: provisioningEventSchema,
});

export const checkoutEvents = endpoint({
  summary: 'The events of the tenant that a checkout session pays for.',
  method: 'GET',
  path: '/api/v1/checkout/{id}/events',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
  kind: 'events',
  response: checkoutEventSchema,
});
