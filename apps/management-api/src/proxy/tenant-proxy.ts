import { forward } from './forward.ts';
import { endToEndHeaders } from './hop-by-hop.ts';
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
}

/** Serves requests for tenants' hosts. */
export type TenantProxy = (
  request: Request,
  options?: {
    /** @defaultValue '127.0.0.1', where the proxy listens */
    readonly clientAddress?: string | undefined;
  },
) => Promise<Response>;

/**
 * The way from a tenant's host name to its machine. It is the outermost server, so `X-Forwarded-*` of the client do not
 * count. WebSockets go through {@link createTenantTunnel}.
 */
export function createTenantProxy({ resolve }: TenantProxyOptions): TenantProxy {
  return async (request, { clientAddress = '127.0.0.1' } = {}) => {
    const url = new URL(request.url);
    const host = (request.headers.get('host') ?? url.host).toLowerCase();
    const target = await resolve(host);
    if (target === undefined) return proxyPage(request, unknown(host));
    if ('state' in target) return proxyPage(request, notRunning(host, target.state));
    const protocol = url.protocol.replace(':', '');
    const headers = forwardedHeaders(request.headers, { host, clientAddress, protocol });
    try {
      return await forward(request, { address: target.address, headers });
    } catch (error) {
      request.signal.throwIfAborted();
      if (!isConnectionFailure(error)) throw error;
      return proxyPage(request, unreachable(host));
    }
  };
}

/** The headers with which a request goes on to a machine: those of the client, and where it came from. */
export function forwardedHeaders(
  headers: Iterable<readonly [string, string]>,
  origin: { readonly host: string; readonly clientAddress: string; readonly protocol: string },
): [string, string][] {
  const { host, clientAddress, protocol } = origin;
  return [
    ...endToEndHeaders(headers).filter(([name]) => !replaced.has(name)),
    ['host', host],
    ['x-forwarded-for', clientAddress],
    ['x-forwarded-host', host],
    ['x-forwarded-proto', protocol],
  ];
}

/** `expect` is answered by the server in front already. */
const replaced = new Set([
  'host',
  'expect',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
]);

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
