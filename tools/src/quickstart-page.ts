import { get } from 'node:http';
import { text } from 'node:stream/consumers';

/** The page of hello-tenant, as far as the quickstart looks at it; HTML entities are left as they are. */
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
  const html = await new Promise<string>((resolve, reject) => {
    const request = get(
      { host: local ? '127.0.0.1' : hostname, port: port || 80, path: pathname, headers: { host }, signal },
      (response) => {
        text(response).then((body) => {
          if (response.statusCode === 200) resolve(body);
          else reject(new Error(`${url} was answered ${response.statusCode}: ${body.slice(0, 200)}`));
        }, reject);
      },
    );
    request.once('error', reject);
  });
  return { greeting: elementText(html, 'greeting'), row: elementText(html, 'row') };
}

function elementText(html: string, id: string): string {
  return new RegExp(`id="${id}"[^>]*>([^<]*)<`).exec(html)?.[1]?.trim() ?? '';
}
