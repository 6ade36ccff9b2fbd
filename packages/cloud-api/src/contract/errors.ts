import * as z from 'zod/mini';

/** The body of every answer that is not a success. */
export interface ApiErrorBody {
  /** What went wrong. */
  readonly error: {
    /** snake_case, stable. */
    readonly code: string;
    /** One line: what, which, why. */
    readonly message: string;
    readonly requestId?: string | undefined;
  };
}

export const apiErrorSchema: z.ZodMiniType<ApiErrorBody> = z.object({
  error: z.object({ code: z.string(), message: z.string(), requestId: z.optional(z.string()) }),
});

/** The header that names a request in the server's logs. */
export const requestIdHeader = 'x-request-id';

/** The header that makes a mutation safe to repeat. */
export const idempotencyKeyHeader = 'idempotency-key';
