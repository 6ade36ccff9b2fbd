import * as z from 'zod/mini';

/** A member of a server's answer that may be missing; one that is `null` was left out before (`fromAnswer`). */
export function maybe<T extends z.ZodMiniType>(schema: T): z.ZodMiniType<z.output<T> | undefined> {
  return z.optional(schema);
}

/** A string with well-known values; an unknown value of a newer server is kept, never refused. */
export function open<Known extends string>(): z.ZodMiniType<Known | (string & {})> {
  return z.string();
}
