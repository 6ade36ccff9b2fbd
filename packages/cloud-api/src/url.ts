import type { Endpoint } from './contract/endpoint.ts';
import { CloudApiError } from './errors.ts';
import { toWire } from './wire.ts';

/** Path and query of a request; placeholders become one encoded segment each. */
export function endpointPath(
  endpoint: Endpoint,
  request: { readonly params?: Readonly<Record<string, string>> | undefined; readonly query?: object | undefined },
): string {
  const { params = {}, query = {} } = request;
  const path = endpoint.path.replace(/\{(\w+)\}/g, (_, name: string) => pathSegment(name, params[name]));
  const search = new URLSearchParams(toWire(query) as Record<string, string>).toString();
  return search === '' ? path : `${path}?${search}`;
}

/** One encoded path segment. Dots alone would climb to another endpoint, so they are refused. */
function pathSegment(name: string, value: string | undefined): string {
  const lone = value === undefined || value === '' || value === '.' || value === '..';
  const encoded = lone ? undefined : encode(value);
  if (encoded !== undefined) return encoded;
  throw new CloudApiError({
    code: 'SP_API_INVALID_REQUEST',
    message: `\`${name}\` must be a non-empty path segment, got ${JSON.stringify(value)}`,
  });
}

/** A lone half of a surrogate pair has no encoding. */
function encode(value: string): string | undefined {
  try {
    return encodeURIComponent(value);
  } catch {
    return undefined;
  }
}
