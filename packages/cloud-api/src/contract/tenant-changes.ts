import * as z from 'zod/mini';
import { tenantNamePattern } from './checkout.ts';
import { endpoint } from './endpoint.ts';
import { maybe } from './schema.ts';
import { tenantInfoSchema } from './user.ts';

/** What to change of a tenant; members that are absent stay as they are. */
export interface UpdateTenantRequest {
  /** Unique among your tenants; the tenant's address stays. */
  readonly name?: string | undefined;
  /** MiB, at most what the plan has; the machine gets it at its next start. */
  readonly memoryMb?: number | undefined;
  /** Whether its database can be used from outside. */
  readonly externalDbAccess?: boolean | undefined;
}

/** What came of a request to the tenant's machine or its making. */
export interface OperationStatus {
  /** `running`, `provisioning` or `restarting` while it goes on, `failed`. */
  readonly status: string;
  /** Why it failed. */
  readonly message?: string | undefined;
}

/** Whether a tenant's database is for use from outside. */
export interface ExternalDbAccessRequest {
  /** Whether it shall be. */
  readonly enabled: boolean;
}

/** The database's address from outside. */
export interface ExternalDbAccess {
  /** The tenant that was asked about. */
  readonly tenantId: string;
  /** Whether the database can be used from outside now. */
  readonly externalDbAccess: boolean;
  /** With its password while access is on, masked (`:***@`) while it is off. */
  readonly databaseUrl: string;
}

/** New credentials of a tenant's database. The old ones end with the machine that uses them. */
export interface RotatedCredentials {
  /** `success`, `rotating` while the machine is still being replaced, `failed` when the old ones stay. */
  readonly status: 'success' | 'rotating' | 'failed' | (string & {});
  /** One line for people. */
  readonly message: string;
  /** For use by the tenant itself. */
  readonly internalDatabaseUrl: string;
  /** For use from outside of the tenant's network. */
  readonly externalDatabaseUrl: string;
}

/** A new token for file synchronisation. */
export interface RotatedSyncToken {
  /** The new token. A secret. */
  readonly syncToken: string;
}

const updateTenantSchema: z.ZodMiniType<UpdateTenantRequest> = z.strictObject({
  name: z.optional(z.string().check(z.regex(tenantNamePattern))),
  memoryMb: z.optional(z.int().check(z.minimum(128), z.maximum(1_048_576))),
  externalDbAccess: z.optional(z.boolean()),
});

const operationStatusSchema: z.ZodMiniType<OperationStatus> = z.object({
  status: z.string(),
  message: maybe(z.string()),
});

export const updateTenant = endpoint({
  summary: 'Changes a tenant. With `If-Match` only the version that its `ETag` names.',
  method: 'PATCH',
  path: '/api/v1/tenants/{id}',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  request: updateTenantSchema,
  response: tenantInfoSchema,
});

export const deleteTenant = endpoint({
  summary: 'Ends the subscription and deletes the tenant with its machine, database, images and secrets.',
  method: 'DELETE',
  path: '/api/v1/tenants/{id}',
  auth: 'bearer',
  envelope: 'bare',
  // A second one finds nothing: a key makes its answer the first one's.
  idempotent: false,
});

export const restartTenant = endpoint({
  summary: "Stops the tenant's machine and starts it again with its secrets as they are now.",
  method: 'POST',
  path: '/api/v1/tenants/{id}/restart',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: false,
  response: operationStatusSchema,
});

export const retryProvision = endpoint({
  summary: 'Goes on with making a tenant that could not be made.',
  method: 'POST',
  path: '/api/v1/tenants/{id}/retry-provision',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: false,
  response: operationStatusSchema,
});

export const setExternalDbAccess = endpoint({
  summary: "Switches use of the tenant's database from outside on or off.",
  method: 'PUT',
  path: '/api/v1/tenants/{id}/external-db-access',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  request: z.strictObject({ enabled: z.boolean() }) as z.ZodMiniType<ExternalDbAccessRequest>,
  response: z.object({
    tenantId: z.string(),
    externalDbAccess: z.boolean(),
    databaseUrl: z.string(),
  }) as z.ZodMiniType<ExternalDbAccess>,
});

export const rotateCredentials = endpoint({
  summary: "Replaces the password of the tenant's database, and the machine by one that knows it.",
  method: 'POST',
  path: '/api/v1/tenants/{id}/rotate-credentials',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: false,
  response: z.object({
    status: z.string(),
    message: z._default(z.string(), ''),
    internalDatabaseUrl: z.string(),
    externalDatabaseUrl: z.string(),
  }) as z.ZodMiniType<RotatedCredentials>,
});

export const rotateSyncToken = endpoint({
  summary: "Replaces the tenant's synchronisation token, and the machine by one that knows it.",
  method: 'POST',
  path: '/api/v1/tenants/{id}/rotate-sync-token',
  auth: 'bearer',
  envelope: 'data',
  idempotent: false,
  response: z.object({ syncToken: z.string() }) as z.ZodMiniType<RotatedSyncToken>,
});
