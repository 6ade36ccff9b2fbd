import type { IncomingMessage } from 'node:http';
import { clientAddress } from '../http/client-address.ts';
import { forward } from './forward.ts';
import { forwardedHeaders } from './forwarded-headers.ts';
import { type ProxyMessage, proxyPage } from './proxy-page.ts';

/** Where requests for a host go, or why they go nowhere. */
export type ProxyTarget =
  | {
      /** `host:port` of the tenant's machine. */
      readonly address: string;
    }
  | {
      /** The tenant's state, when it has no machine. */
      readonly state: string;
    };

/** Options of {@link createTenantProxy}. */
export interface TenantProxyOptions {
  /**
   * Finds the tenant by the `Host` of a request, in lower case and with its port when it has one; `undefined` when
   * there is no such tenant.
   */
  readonly resolve: (host: string) => Promise<ProxyTarget | undefined>;
  /** How clients reach it: `https` where something in front of it ends TLS. @defaultValue 'http' */
  readonly protocol?: 'http' | 'https' | undefined;
  /** The header in which the proxy in front of it tells the client's address. @defaultValue the connection tells it */
  readonly trustedProxyHeader?: string | undefined;
}

/** Serves requests for tenants' hosts; `env` is that of `@hono/node-server`, and says from where the connection came. */
export type TenantProxy = (request: Request, env?: object) => Promise<Response>;

/**
 * The way from a tenant's host name to its machine. Where a request comes from is what is known here: what the client
 * says of that itself does not count. WebSockets go through {@link createTenantTunnel}.
 */
export function createTenantProxy(options: TenantProxyOptions): TenantProxy {
  const { resolve, protocol = 'http', trustedProxyHeader } = options;
  return async (request, env) => {
    const url = new URL(request.url);
    const host = (request.headers.get('host') ?? url.host).toLowerCase();
    const target = await resolve(host);
    if (target === undefined) return proxyPage(request, unknown(host));
    if ('state' in target) return proxyPage(request, notRunning(host, target.state));
    const address = clientAddress(env, request.headers, trustedProxyHeader) ?? '127.0.0.1';
    const headers = forwardedHeaders(request.headers, { host, address, protocol, trustedProxyHeader });
    try {
      return await forward(request, { address: target.address, headers, body: hiddenBody(request, env) });
    } catch (error) {
      request.signal.throwIfAborted();
      if (!isConnectionFailure(error)) throw error;
      return proxyPage(request, unreachable(host));
    }
  };
}

/** A GET may have a body, and a `Request` of it has none. */
function hiddenBody({ body }: Request, env: object | undefined): IncomingMessage | undefined {
  const { incoming } = (env ?? {}) as { readonly incoming?: IncomingMessage };
  if (body !== null || incoming === undefined) return undefined;
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = incoming.headers;
  return length === '0' && encoding === undefined ? undefined : incoming;
}

/** From the operating system or the HTTP parser, not a mistake of this program. */
function isConnectionFailure(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && !code.startsWith('ERR_');
}

function unknown(host: string): ProxyMessage {
  return { status: 404, code: 'tenant_unknown', title: 'No such tenant', text: `There is no tenant at ${host}.` };
}

function notRunning(host: string, state: string): ProxyMessage {
  const waits =
    state === 'awaiting_deploy' ? 'is ready, but nothing was deployed to it yet' : `is not running (${state})`;
  return { status: 503, code: 'tenant_not_running', title: 'Not running', text: `${host} ${waits}.` };
}

function unreachable(host: string): ProxyMessage {
  return { status: 502, code: 'tenant_unreachable', title: 'No answer', text: `${host} does not answer.` };
}
