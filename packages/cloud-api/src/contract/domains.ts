import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { maybe } from './schema.ts';

/** The record that the domain's owner makes at their name server. */
export interface DnsInstructions {
  /** The kind of the record. */
  readonly recordType: 'CNAME' | (string & {});
  /** The record's name: the custom domain. */
  readonly host: string;
  /** Where it must point to. */
  readonly value: string;
  /** Seconds. */
  readonly ttl: number;
}

/** A tenant's custom domain, and what proves it. */
export interface CustomDomain {
  /** The host name. */
  readonly domain: string;
  /** `pending` until the record is found, then `active`; `failing` where it, or the certificate, is not right any more. */
  readonly status: 'pending' | 'active' | (string & {});
  /** Whether the record was found. */
  readonly verified: boolean;
  /** Where the domain must point to. */
  readonly dnsTarget: string;
  /** The record that is looked for. */
  readonly dnsInstructions: DnsInstructions;
  /** RFC 3339. */
  readonly createdAt?: string | undefined;
  /** RFC 3339; absent until the record was found. */
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
