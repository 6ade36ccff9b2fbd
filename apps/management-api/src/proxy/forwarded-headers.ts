import { endToEndHeaders } from './hop-by-hop.ts';

/** Where a request came from, as it is known here. */
export interface ForwardedFrom {
  /** The host that it is for. */
  readonly host: string;
  /** The client's. */
  readonly address: string;
  readonly protocol: 'http' | 'https';
  /** The header in which the proxy in front told the address. */
  readonly trustedProxyHeader?: string | undefined;
}

/** The headers with which a request goes on to a machine: those of the client, and where it came from. */
export function forwardedHeaders(
  headers: Iterable<readonly [string, string]>,
  { host, address, protocol, trustedProxyHeader }: ForwardedFrom,
): [string, string][] {
  return [
    ...endToEndHeaders(headers).filter(([name]) => !isOurs(name, trustedProxyHeader)),
    ['host', host],
    ['x-forwarded-for', address],
    ['x-forwarded-host', host],
    ['x-forwarded-proto', protocol],
  ];
}

/** What programs believe of where a request comes from: from a client it would be a lie. */
const told = new Set([
  'host',
  // Answered by the server in front already.
  'expect',
  'forwarded',
  'forwarded-for',
  'x-forwarded',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'x-original-host',
  'x-url-scheme',
  'front-end-https',
  'fly-client-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'cf-visitor',
  'true-client-ip',
  'fastly-client-ip',
]);

function isOurs(name: string, trustedProxyHeader: string | undefined): boolean {
  // Where headers become variables, `_` is `-`.
  const plain = name.replaceAll('_', '-');
  return told.has(plain) || /^(x|fly)-forwarded-/.test(plain) || plain === trustedProxyHeader?.replaceAll('_', '-');
}
