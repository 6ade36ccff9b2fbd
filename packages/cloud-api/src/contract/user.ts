import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { type PlanInfo, planInfoSchema } from './plan.ts';
import { maybe, open } from './schema.ts';

/** State of a tenant's subscription. */
export type SubscriptionStatus = 'active' | 'trialing' | 'past_due' | 'paused' | 'canceled' | (string & {});

/** A tenant as its owner sees it. */
export interface TenantInfo {
  /** The server's name for it; it never changes. */
  readonly id: string;
  /** The user's name for it. */
  readonly name: string;
  /** The payment provider's name for what pays for it. */
  readonly subscriptionId?: string | undefined;
  /** Whether it is paid for. */
  readonly subscriptionStatus?: SubscriptionStatus | undefined;
  /** Name of the app that runs the tenant's machine. */
  readonly appId?: string | undefined;
  /** Public host without a scheme, with a port where it is not the default one. */
  readonly hostname?: string | undefined;
  /** Region code, such as `iad`. */
  readonly region?: string | undefined;
  /** `pending`, `active`, `suspended` or `deleted`. */
  readonly status?: string | undefined;
  /** Where it stands in its life, as `tenants.getStatus` says it; older servers do not tell. */
  readonly state?: string | undefined;
  /** Why, in one line for people, where it stands badly. */
  readonly message?: string | undefined;
  /** When it was bought, RFC 3339. */
  readonly createdAt?: string | undefined;
  /** What was bought. */
  readonly plan?: PlanInfo | undefined;
  /** Whether its database can be used from outside. */
  readonly externalDbAccess: boolean;
  /** The tenant's database with the password masked (`:***@`). */
  readonly databaseUrl: string;
  /** Raised with each change; what a change may be conditional on. */
  readonly version?: number | undefined;
}

/** Who a token belongs to, and what they own. */
export interface UserMeResponse {
  /** The person. */
  readonly user: { readonly id: string; readonly email: string; readonly name?: string | undefined };
  /** The person as the payment provider knows them; absent before the first purchase. */
  readonly customer?: { readonly id: string; readonly status?: string | undefined } | undefined;
  /** What they own. */
  readonly tenants: readonly TenantInfo[];
}

export const tenantInfoSchema: z.ZodMiniType<TenantInfo> = z.object({
  id: z.string(),
  name: z.string(),
  subscriptionId: maybe(z.string()),
  subscriptionStatus: maybe(open<'active' | 'trialing' | 'past_due' | 'paused' | 'canceled'>()),
  appId: maybe(z.string()),
  hostname: maybe(z.string()),
  region: maybe(z.string()),
  status: maybe(z.string()),
  state: maybe(z.string()),
  message: maybe(z.string()),
  createdAt: maybe(z.string()),
  plan: maybe(planInfoSchema),
  externalDbAccess: z._default(z.boolean(), false),
  databaseUrl: z.string(),
  version: maybe(z.int()),
});

const userMeSchema: z.ZodMiniType<UserMeResponse> = z.object({
  user: z.object({ id: z.string(), email: z.string(), name: maybe(z.string()) }),
  customer: maybe(z.object({ id: z.string(), status: maybe(z.string()) })),
  tenants: z._default(z.array(tenantInfoSchema), []),
});

export const getUser = endpoint({
  summary: 'Who the token belongs to, and their tenants.',
  method: 'GET',
  path: '/api/v1/auth/me',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
  response: userMeSchema,
});
