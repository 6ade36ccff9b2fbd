import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';

/** Something that a person did with a program of theirs. */
export interface ActivityRequest {
  /** What the person did. */
  readonly event: 'cloud_login' | 'cloud_logout';
  /** When it happened: RFC 3339 with an offset, as `2026-01-02T03:04:05+00:00`. */
  readonly timestamp: string;
  /** Who it was. */
  readonly data: {
    /** Id of the user, or their e-mail where a program knows no more. */
    readonly userId: string;
  };
}

const activityRequestSchema: z.ZodMiniType<ActivityRequest> = z.strictObject({
  event: z.enum(['cloud_login', 'cloud_logout']),
  timestamp: z.iso.datetime({ offset: true }),
  data: z.object({ userId: z.string().check(z.minLength(1), z.maxLength(320)) }),
});

export const reportActivity = endpoint({
  summary: 'Keeps that somebody logged in or out.',
  method: 'POST',
  path: '/api/v1/activity',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: false,
  request: activityRequestSchema,
});
