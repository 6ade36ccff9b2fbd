import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { maybe } from './schema.ts';

/** Which lines of a machine's output. */
export interface LogsQuery {
  /** At most so many of the last lines, up to 10000. @defaultValue 100 */
  readonly tail?: number | undefined;
  /** Only lines from this time on: RFC 3339 with an offset. */
  readonly since?: string | undefined;
  /** Number of the release. @defaultValue the one that runs, or was deployed last */
  readonly release?: number | undefined;
}

/** One line that a tenant's machine wrote. */
export interface LogEntry {
  /** RFC 3339. */
  readonly time: string;
  /** Where the machine wrote it. */
  readonly stream: 'stdout' | 'stderr' | (string & {});
  /** The line without its end. */
  readonly message: string;
  /** The release whose machine wrote it. */
  readonly releaseNumber?: number | undefined;
}

const logsQuerySchema = z.object({
  tail: z.optional(z.coerce.number().check(z.int(), z.minimum(0), z.maximum(10_000))),
  since: z.optional(z.iso.datetime({ offset: true })),
  release: z.optional(z.coerce.number().check(z.int(), z.minimum(1), z.maximum(2_147_483_647))),
}) as unknown as z.ZodMiniType<LogsQuery>;

const logEntrySchema: z.ZodMiniType<LogEntry> = z.object({
  time: z.string(),
  stream: z.string(),
  message: z.string(),
  releaseNumber: maybe(z.int()),
});

export const getLogs = endpoint({
  summary: "The last lines of the tenant's machine, oldest first.",
  method: 'GET',
  path: '/api/v1/tenants/{id}/logs',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  query: logsQuerySchema,
  response: z.array(logEntrySchema) as z.ZodMiniType<readonly LogEntry[]>,
});

export const followLogs = endpoint({
  summary: "The lines of the tenant's machine, live; after a deploy those of the machine that took over.",
  method: 'GET',
  path: '/api/v1/tenants/{id}/logs/events',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
  kind: 'events',
  query: logsQuerySchema,
  response: logEntrySchema,
});
