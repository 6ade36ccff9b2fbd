import { endpoint } from './endpoint.ts';

export const cancelSubscription = endpoint({
  summary: "Ends a tenant's subscription: the tenant is suspended, and its data kept.",
  method: 'POST',
  path: '/api/v1/tenants/{id}/subscription/cancel',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
  empty: 'null',
});
