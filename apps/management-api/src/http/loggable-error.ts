import { DrizzleQueryError } from 'drizzle-orm';

/** What the log may know of an error: database errors carry the values of their query, and those stay out. */
export function loggableError(error: unknown): object {
  const inner = error instanceof DrizzleQueryError ? error.cause : error;
  if (!(inner instanceof Error)) return { name: typeof inner };
  const { name, message, stack } = inner;
  return { name, message, code: 'code' in inner ? inner.code : undefined, stack };
}
