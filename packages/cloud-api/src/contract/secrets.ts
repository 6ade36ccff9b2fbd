import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';

/** Environment variables for the tenant's machine. They reach it with its next start: a restart, or a deploy. */
export interface SetSecretsRequest {
  /** Values by name; names that are not here stay as they are. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Names only: values are never listed. */
export interface ListSecretsResponse {
  /** The names. */
  readonly keys: readonly string[];
}

/** Names that the platform sets itself; nobody else may. */
export const systemManagedSecrets: readonly string[] = ['FLY_APP_NAME', 'FLY_MACHINE_ID'];

/** The rule for the name of a secret: an environment variable name. */
export const secretNamePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

// An environment variable ends at a NUL character: no machine could be started with one.
const secretValue = z.string().check(
  z.maxLength(65_536),
  z.refine((value) => !value.includes('\0'), 'holds a NUL character'),
);

const setSecretsSchema: z.ZodMiniType<SetSecretsRequest> = z.strictObject({
  secrets: z.record(z.string().check(z.regex(secretNamePattern)), secretValue),
});

const listSecretsSchema: z.ZodMiniType<ListSecretsResponse> = z.object({ keys: z.array(z.string()) });

export const listSecrets = endpoint({
  summary: "The names of a tenant's secrets.",
  method: 'GET',
  path: '/api/v1/tenants/{id}/secrets',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
  response: listSecretsSchema,
});

export const setSecrets = endpoint({
  summary: 'Sets secrets; names that exist get the new value.',
  method: 'POST',
  path: '/api/v1/tenants/{id}/secrets',
  aliases: [{ method: 'PUT', path: '/api/v1/tenants/{id}/secrets' }],
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
  request: setSecretsSchema,
});

export const deleteSecret = endpoint({
  summary: 'Removes a secret; removing one that is not there is no error.',
  method: 'DELETE',
  path: '/api/v1/tenants/{id}/secrets/{key}',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
});
