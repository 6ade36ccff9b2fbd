import { isIP, isIPv4, isIPv6 } from 'node:net';

/**
 * Where a request came from: the address of the connection, or what the proxy in front of it says in the one header that
 * was configured for that. Any other header is the client's own word.
 */
export function clientAddress(
  env: unknown,
  headers: Pick<Headers, 'get'>,
  trustedProxyHeader: string | undefined,
): string | undefined {
  if (trustedProxyHeader !== undefined) {
    // Of a list the last one: the proxy next to us wrote it, those before it came with the request.
    const list = headers.get(trustedProxyHeader) ?? '';
    const told = list.slice(list.lastIndexOf(',') + 1).trim();
    if (isIP(told) !== 0) return withoutMapping(told);
  }
  const { incoming } = (env ?? {}) as { incoming?: { socket?: { remoteAddress?: string } } };
  const { remoteAddress } = incoming?.socket ?? {};
  return remoteAddress === undefined ? undefined : withoutMapping(remoteAddress);
}

/** As IPv4 what is IPv4 seen by a socket of IPv6: all of them would be one block of addresses. */
function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** What counts as one client: an IPv4 address, or the /64 that one line of a provider has of IPv6. */
export function addressBlock(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  if (isIPv4(address)) return address;
  const plain = address.split('%')[0] ?? address;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? [] : Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  const groups = [...first, ...gap, ...last].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '').toLowerCase());
  return `${groups.join(':')}::/64`;
}
