import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { decodeEntities } from './sandbox-form.ts';

/** The page of hello-tenant, as far as the quickstart looks at it. */
export interface HelloPage {
  readonly greeting: string;
  readonly row: string;
}

/**
 * Gets the tenant's page. `*.localhost` is 127.0.0.1 to every browser but not to every resolver, so the address is
 * given here and the name goes into the Host header.
 */
export async function getPage(url: string, { signal }: { signal: AbortSignal }): Promise<HelloPage> {
  const { hostname, port, host, pathname } = new URL(url);
  const local = hostname === 'localhost' || hostname.endsWith('.localhost');
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = {
      host: local ? '127.0.0.1' : hostname,
      port: port || 80,
      path: pathname,
      headers: { host },
      signal,
    };
    get(options, resolve).once('error', reject);
  });
  const html = await text(response);
  if (response.statusCode !== 200) throw new Error(`${url} was answered ${response.statusCode}: ${html.slice(0, 200)}`);
  return { greeting: elementText(html, 'greeting'), row: elementText(html, 'row') };
}

function elementText(html: string, id: string): string {
  return decodeEntities(new RegExp(`id="${id}"[^>]*>([^<]*)<`).exec(html)?.[1]?.trim() ?? '');
}
