import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { maybe, open } from './schema.ts';

/** Which entries of an audit log. */
export interface AuditQuery {
  /** At most so many, up to 200. @defaultValue 50 */
  readonly limit?: number | undefined;
  /** Only entries before this `sequence`. */
  readonly before?: number | undefined;
}

/** Something that somebody did, or tried to do. */
export interface AuditEntry {
  /** Counts up; the larger, the later. */
  readonly sequence: number;
  /** RFC 3339. */
  readonly time: string;
  /** `user`: a person; `billing`: the payment provider; `system`: the control plane itself. */
  readonly actor: {
    readonly kind: 'user' | 'billing' | 'system' | (string & {});
    readonly id?: string | undefined;
    readonly email?: string | undefined;
    /** The login session that was used. */
    readonly sessionId?: string | undefined;
    /** The API token that was used. */
    readonly apiTokenId?: string | undefined;
  };
  /** What was done: the endpoint's name, as `tenants.deploy`, or of a login `auth.login` and the like. */
  readonly action: string;
  /** `failed`: on our side. */
  readonly outcome: 'succeeded' | 'refused' | 'failed' | (string & {});
  /** HTTP status. */
  readonly status?: number | undefined;
  /** The error's code where it did not succeed. */
  readonly code?: string | undefined;
  /** The server's name for the request, as in its logs. */
  readonly requestId?: string | undefined;
  /** Where the request came from. */
  readonly address?: string | undefined;
  /** How many more like it the entry stands for, where they came too fast to be written each. */
  readonly repeated?: number | undefined;
  /** SHA-256 over the entry and the hash of the one before it, in hex. */
  readonly hash: string;
}

const auditQuerySchema = z.object({
  limit: z.optional(z.coerce.number().check(z.int(), z.minimum(1), z.maximum(200))),
  before: z.optional(z.coerce.number().check(z.int(), z.minimum(1), z.maximum(Number.MAX_SAFE_INTEGER))),
}) as unknown as z.ZodMiniType<AuditQuery>;

const auditEntrySchema: z.ZodMiniType<AuditEntry> = z.object({
  sequence: z.int(),
  time: z.string(),
  actor: z.object({
    kind: open<'user' | 'billing' | 'system'>(),
    id: maybe(z.string()),
    email: maybe(z.string()),
    sessionId: maybe(z.string()),
    apiTokenId: maybe(z.string()),
  }),
  action: z.string(),
  outcome: open<'succeeded' | 'refused' | 'failed'>(),
  status: maybe(z.int()),
  code: maybe(z.string()),
  requestId: maybe(z.string()),
  address: maybe(z.string()),
  repeated: maybe(z.int()),
  hash: z.string(),
});

export const listAuditEntries = endpoint({
  summary: 'What was done to a tenant and by whom, the latest first.',
  method: 'GET',
  path: '/api/v1/tenants/{id}/audit-log',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  query: auditQuerySchema,
  response: z.array(auditEntrySchema) as z.ZodMiniType<readonly AuditEntry[]>,
});

export const listAccountAuditEntries = endpoint({
  summary: "What was done with the user's account, the latest first: logins and their ends, API tokens, purchases.",
  method: 'GET',
  path: '/api/v1/auth/audit-log',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  query: auditQuerySchema,
  response: z.array(auditEntrySchema) as z.ZodMiniType<readonly AuditEntry[]>,
});
