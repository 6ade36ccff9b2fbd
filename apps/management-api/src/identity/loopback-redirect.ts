import { ApiFailure } from '../http/errors.ts';

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** Whether the browser may be sent there with something secret: a program on the person's own computer, any port. */
function isLoopbackRedirect(uri: string): boolean {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  return (
    url !== undefined &&
    url.protocol === 'http:' &&
    loopback.has(url.hostname) &&
    url.username === '' &&
    url.password === '' &&
    !uri.includes('#') &&
    // The parser drops some of them, and a database keeps none of the others.
    !/\p{Cc}/u.test(uri)
  );
}

/**
 * Refuses a redirect address that is not on the person's own computer.
 * @throws {ApiFailure} invalid_redirect_uri
 */
export function checkLoopbackRedirect(uri: string): void {
  if (isLoopbackRedirect(uri)) return;
  throw new ApiFailure('redirect_uri: only http addresses of 127.0.0.1, [::1] or localhost are accepted.', {
    status: 400,
    code: 'invalid_redirect_uri',
  });
}

/** The address with query parameters added; those that are `undefined` are left out. */
export function withQuery(uri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(uri);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}
