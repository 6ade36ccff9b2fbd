import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { maybe } from './schema.ts';

/** The record that the domain's owner makes at their name server. */
export interface DnsInstructions {
  readonly recordType: 'CNAME' | (string & {});
  readonly host: string;
  readonly value: string;
  /** Seconds. */
  readonly ttl: number;
}

/** A tenant's custom domain, and what proves it. */
export interface CustomDomain {
  readonly domain: string;
  /** `pending` until the record is found, then `active`. */
  readonly status: 'pending' | 'active' | (string & {});
  readonly verified: boolean;
  /** Where the domain must point to. */
  readonly dnsTarget: string;
  readonly dnsInstructions: DnsInstructions;
  readonly createdAt?: string | undefined;
  readonly verifiedAt?: string | undefined;
}

/** A domain to use for a tenant. */
export interface SetCustomDomainRequest {
  /** A host name with at least one dot. */
  readonly domain: string;
}

/** The rule for a custom domain: labels of letters, digits and inner hyphens, the last with a letter. */
export const customDomainPattern =
  /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/i;

const setCustomDomainSchema: z.ZodMiniType<SetCustomDomainRequest> = z.strictObject({
  domain: z.string().check(z.regex(customDomainPattern)),
});

const customDomainSchema: z.ZodMiniType<CustomDomain> = z.object({
  domain: z.string(),
  status: z.string(),
  verified: z.boolean(),
  dnsTarget: z.string(),
  dnsInstructions: z.object({ recordType: z.string(), host: z.string(), value: z.string(), ttl: z.int() }),
  createdAt: maybe(z.string()),
  verifiedAt: maybe(z.string()),
});

const path = '/api/v1/tenants/{id}/custom-domain';

export const setCustomDomain = endpoint({
  summary: 'Gives a tenant a domain of its own; it is active once its DNS record is found.',
  method: 'POST',
  path,
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  request: setCustomDomainSchema,
  response: customDomainSchema,
});

export const getCustomDomain = endpoint({
  summary: "A tenant's domain; looks for its DNS record while it is not found yet.",
  method: 'GET',
  path,
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  response: customDomainSchema,
});

export const deleteCustomDomain = endpoint({
  summary: "Takes a tenant's domain away; taking one that is not there is no error.",
  method: 'DELETE',
  path,
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
});
