import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { maybe } from './schema.ts';

/** What is bought, and where it shall run. */
export interface CheckoutRequest {
  /** `paddlePriceId` of a plan. */
  readonly priceId: string;
  /** Region code, see {@link regions}. */
  readonly region: string;
  /** Where the browser returns to after payment; only loopback addresses are accepted. */
  readonly redirectUri?: string | undefined;
  /** Name of the new tenant: lower-case letters, digits and inner hyphens, at most 40. @defaultValue chosen by the server */
  readonly tenantName?: string | undefined;
}

/** A page to pay on. */
export interface CheckoutResponse {
  /** The page to pay on, for a browser. */
  readonly checkoutUrl: string;
  /** The payment provider's name for the purchase. */
  readonly transactionId: string;
  /** The checkout's id, for its events and for taking it up again. */
  readonly checkoutSessionId: string;
}

/** What became of a checkout so far. */
export interface CheckoutSession {
  /** The id that was asked for. */
  readonly checkoutSessionId: string;
  /** The payment provider's name for the purchase. */
  readonly transactionId: string;
  /** The tenant that was paid for; absent until then. */
  readonly tenantId?: string | undefined;
  /** Its name, with `tenantId`. */
  readonly tenantName?: string | undefined;
}

/** Where a tenant can run. */
export const regions = {
  iad: 'US East (Virginia)',
  lhr: 'Europe (London)',
  fra: 'Europe (Frankfurt)',
  ams: 'Europe (Amsterdam)',
  sin: 'Asia (Singapore)',
  nrt: 'Asia (Tokyo)',
  syd: 'Australia (Sydney)',
  gru: 'South America (São Paulo)',
} as const satisfies Readonly<Record<string, string>>;

/** The rule for a tenant's name. */
export const tenantNamePattern = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

const checkoutRequestSchema: z.ZodMiniType<CheckoutRequest> = z.strictObject({
  priceId: z.string().check(z.minLength(1), z.maxLength(128)),
  region: z.enum(/* @__PURE__ */ Object.keys(regions) as [string, ...string[]]),
  redirectUri: z.optional(z.url()),
  tenantName: z.optional(z.string().check(z.regex(tenantNamePattern))),
});

const checkoutResponseSchema: z.ZodMiniType<CheckoutResponse> = z.object({
  checkoutUrl: z.url(),
  transactionId: z.string(),
  checkoutSessionId: z.string(),
});

export const createCheckout = endpoint({
  summary: 'Opens a checkout session for a new tenant.',
  method: 'POST',
  path: '/api/v1/checkout',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: false,
  request: checkoutRequestSchema,
  response: checkoutResponseSchema,
});

export const getCheckout = endpoint({
  summary: 'What became of a checkout session so far.',
  method: 'GET',
  path: '/api/v1/checkout/{id}',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
  response: z.object({
    checkoutSessionId: z.string(),
    transactionId: z.string(),
    tenantId: maybe(z.string()),
    tenantName: maybe(z.string()),
  }) as z.ZodMiniType<CheckoutSession>,
});
