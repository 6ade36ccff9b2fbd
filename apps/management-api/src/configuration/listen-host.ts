import { isIPv6 } from 'node:net';
import { isLoopback } from './values.ts';

/** The address that is listened on: where nothing is said, one that reaches no further than the base URL does. */
export function listenHostOf({
  listenHost,
  baseUrl,
}: {
  readonly listenHost?: string | undefined;
  readonly baseUrl: string;
}): string {
  return listenHost ?? (isLoopback(baseUrl) ? '127.0.0.1' : '0.0.0.0');
}

/** Whether only this computer reaches what listens on an address. */
export function isLoopbackHost(host: string): boolean {
  const url = `http://${isIPv6(host) ? `[${host}]` : host}`;
  return /^127(\.\d+){3}$/.test(host) || (URL.canParse(url) && isLoopback(url));
}
