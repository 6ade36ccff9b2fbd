import type { Logger } from 'pino';
import { loggableError } from '../http/loggable-error.ts';
import type { TenantProxy } from '../proxy/tenant-proxy.ts';
import type { ServiceHandler } from './listen.ts';
import type { TenantHosts } from './tenant-hosts.ts';

/** What {@link routeHosts} needs. */
export interface HostRoutes {
  readonly api: ServiceHandler;
  readonly proxy: TenantProxy;
  readonly hosts: Pick<TenantHosts, 'isOwnHost' | 'isTenantHost'>;
  /** Whether a tenant has proved a host to be its own; asked for hosts only that are neither ours nor below our domain. */
  readonly isCustomDomain: (host: string) => Promise<boolean>;
  readonly logger: Logger;
  /** How long it may take to say that we live when nobody knows whose host that is, in milliseconds. @defaultValue 2000 */
  readonly patienceMs?: number | undefined;
}

/** Gives a request to the API or to the tenant whose host it names. */
export function routeHosts(options: HostRoutes): ServiceHandler {
  const { api, proxy, hosts, isCustomDomain, logger, patienceMs = 2000 } = options;

  async function isTenants(request: Request, host: string): Promise<boolean> {
    if (hosts.isTenantHost(host)) return true;
    const asked = isCustomDomain(host);
    // Whoever restarts what does not say that it lives must not do so because the database is away.
    if (new URL(request.url).pathname !== '/healthz') return await asked;
    let timer: NodeJS.Timeout | undefined;
    const unknown = new Promise<boolean>((done) => {
      timer = setTimeout(() => done(false), patienceMs);
    });
    return await Promise.race([asked.catch(() => false), unknown]).finally(() => clearTimeout(timer));
  }

  async function answerOthers(request: Request, { host, env }: { readonly host: string; readonly env: object }) {
    try {
      return await ((await isTenants(request, host)) ? proxy(request, env) : api(request, env));
    } catch (error) {
      // Nobody is left who would read it.
      if (request.signal.aborted) return new Response(null, { status: 499 });
      logger.error({ host, err: loggableError(error) }, 'request failed before it was anybody’s');
      const message = 'Something went wrong on our side.';
      return Response.json({ error: { code: 'internal', message } }, { status: 500 });
    }
  }

  return (request, env) => {
    const host = (request.headers.get('host') ?? '').toLowerCase();
    // Without a wait: what is answered at once is sent at once.
    return hosts.isOwnHost(host) ? api(request, env) : answerOthers(request, { host, env });
  };
}
