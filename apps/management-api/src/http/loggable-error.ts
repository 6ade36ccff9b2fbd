import { DrizzleQueryError } from 'drizzle-orm';

/** What the log may know of an error. */
export interface LoggableError {
  readonly name: string;
  readonly message?: string | undefined;
  readonly code?: unknown;
  readonly stack?: string | undefined;
  /** The message of what began it, where that is another error: `fetch failed` says nothing. */
  readonly cause?: string | undefined;
}

/**
 * What the log may know of an error: database errors carry the values of their query, and those stay out. What it made
 * once comes out as it went in, for a logger does it again.
 */
export function loggableError(error: unknown): LoggableError {
  const inner = error instanceof DrizzleQueryError ? error.cause : error;
  if (!(inner instanceof Error)) return isLoggable(inner) ? only(inner) : { name: typeof inner };
  const { name, message, stack } = inner;
  return { name, message, code: 'code' in inner ? inner.code : undefined, stack, cause: innermostMessage(inner) };
}

function innermostMessage(error: Error): string | undefined {
  let innermost = error;
  while (innermost.cause instanceof Error) innermost = innermost.cause;
  return innermost === error ? undefined : innermost.message;
}

function isLoggable(value: unknown): value is LoggableError {
  const { name, message, stack } = (value ?? {}) as Readonly<Record<keyof LoggableError, unknown>>;
  return typeof name === 'string' && typeof message === 'string' && typeof stack === 'string';
}

/** Whatever else has these members may have others, which are not for the log. */
function only({ name, message, code, stack, cause }: LoggableError): LoggableError {
  return { name, message, code, stack, cause };
}
