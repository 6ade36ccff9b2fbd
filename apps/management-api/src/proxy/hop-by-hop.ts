/** Headers that are about one connection and end at a proxy (RFC 9110, 7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers that go on to the other side, without those of the connection and those that it names as its own. */
export function endToEndHeaders(headers: Iterable<readonly [string, string]>): [string, string][] {
  const all = Array.from(headers, ([name, value]): [string, string] => [name.toLowerCase(), value]);
  const named = all.filter(([name]) => name === 'connection').flatMap(([, value]) => value.toLowerCase().split(','));
  const own = new Set(named.map((name) => name.trim()));
  return all.filter(([name]) => !hopByHop.has(name) && !own.has(name));
}
