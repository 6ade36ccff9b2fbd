import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';

/** A page of the payment provider about one subscription. */
export interface PortalLink {
  /** The address logs in whoever opens it: it is made for one visit, and for nobody else. A secret. */
  readonly url: string;
}

const portalLinkSchema: z.ZodMiniType<PortalLink> = z.object({ url: z.string() });

export const cancelSubscription = endpoint({
  summary:
    "Ends a tenant's subscription. What was paid for is left; then the tenant is suspended, and its data kept for a while.",
  method: 'POST',
  path: '/api/v1/tenants/{id}/subscription/cancel',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
  empty: 'null',
});

export const createPortalLink = endpoint({
  summary: "Makes a link to the payment provider's page about a tenant's subscription: invoices, card, cancellation.",
  method: 'POST',
  path: '/api/v1/tenants/{id}/subscription/portal-link',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  response: portalLinkSchema,
});
