import * as z from 'zod/mini';

/**
 * An optional member of a server's answer: it may be missing or `null`, and is absent afterwards.
 * Tolerated on purpose: servers of both generations write either.
 */
export function maybe<T extends z.ZodMiniType>(schema: T): z.ZodMiniType<z.output<T> | undefined> {
  return z.pipe(
    z.nullish(schema),
    z.transform((value) => value ?? undefined),
  );
}

/** A string with well-known values; an unknown value of a newer server is kept, never refused. */
export function open<Known extends string>(): z.ZodMiniType<Known | (string & {})> {
  return z.string();
}
