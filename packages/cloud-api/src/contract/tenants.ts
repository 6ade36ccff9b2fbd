import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { maybe, open } from './schema.ts';
import { tenantInfoSchema } from './user.ts';

/** A tenant in a listing. */
export interface Tenant {
  /** The server's name for it; it never changes. */
  readonly id: string;
  /** The user's name for it; it may change. */
  readonly name: string;
  /** Name of the app that runs the tenant's machine. */
  readonly flyAppName?: string | undefined;
  /** Public host as older servers call it. */
  readonly flyHostname?: string | undefined;
  /** Public host without a scheme. */
  readonly hostname?: string | undefined;
}

/** Where a tenant stands in its life. */
export type TenantState =
  | 'pending_payment'
  | 'provisioning'
  | 'awaiting_deploy'
  | 'deploying'
  | 'running'
  | 'rotating'
  | 'suspended'
  | 'deleting'
  | 'deleted'
  | 'provision_failed'
  | (string & {});

/** A tenant's state now. */
export interface TenantStatus {
  /** Where it stands; a state of a newer server passes through. */
  readonly status: TenantState;
  /** One line for people. */
  readonly message?: string | undefined;
  /** The tenant's page, once it runs. */
  readonly appUrl?: string | undefined;
  /** The one-time link to the tenant's credentials, until it was used. */
  readonly secretsUrl?: string | undefined;
}

/** A tenant's generated credentials; the link that gives them works once. */
export interface TenantSecrets {
  /** What the tenant signs its own tokens with. A secret. */
  readonly jwtSecret: string;
  /** For use from outside of the tenant's network. */
  readonly databaseUrl: string;
  /** For use by the tenant itself. */
  readonly internalDatabaseUrl: string;
  /** The tenant's page. */
  readonly appUrl: string;
  /** For file synchronisation. A secret. */
  readonly syncToken?: string | undefined;
  /** A secret. */
  readonly anthropicApiKey?: string | undefined;
  /** A secret. */
  readonly openaiApiKey?: string | undefined;
  /** A secret. */
  readonly geminiApiKey?: string | undefined;
}

const tenantSchema: z.ZodMiniType<Tenant> = z.object({
  id: z.string(),
  name: z.string(),
  flyAppName: maybe(z.string()),
  flyHostname: maybe(z.string()),
  hostname: maybe(z.string()),
});

const tenantStatusSchema: z.ZodMiniType<TenantStatus> = z.object({
  status: open<Exclude<TenantState, string & {}>>(),
  message: maybe(z.string()),
  appUrl: maybe(z.string()),
  secretsUrl: maybe(z.string()),
});

const tenantSecretsSchema: z.ZodMiniType<TenantSecrets> = z.object({
  jwtSecret: z.string(),
  databaseUrl: z.string(),
  internalDatabaseUrl: z.string(),
  appUrl: z.string(),
  syncToken: maybe(z.string()),
  anthropicApiKey: maybe(z.string()),
  openaiApiKey: maybe(z.string()),
  geminiApiKey: maybe(z.string()),
});

export const listTenants = endpoint({
  summary: 'Your tenants.',
  method: 'GET',
  path: '/api/v1/tenants',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  response: z.array(tenantSchema) as z.ZodMiniType<readonly Tenant[]>,
});

export const getTenant = endpoint({
  summary: 'One tenant.',
  method: 'GET',
  path: '/api/v1/tenants/{id}',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  response: tenantInfoSchema,
});

export const getTenantStatus = endpoint({
  summary: 'Where a tenant stands, and the one-time link to its credentials.',
  method: 'GET',
  path: '/api/v1/tenants/{id}/status',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  response: tenantStatusSchema,
});

export const getCredentials = endpoint({
  summary: "A tenant's generated credentials. The link works once.",
  method: 'GET',
  path: '/api/v1/tenants/{id}/credentials/{token}',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: false,
  response: tenantSecretsSchema,
});
