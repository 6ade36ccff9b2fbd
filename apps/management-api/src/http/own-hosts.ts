import { isLoopbackHost } from '../configuration/listen-host.ts';
import type { HttpApp } from './app.ts';
import { ApiFailure } from './errors.ts';

/** What programs that watch the service ask, by whatever name they know it. */
const watched: readonly string[] = ['/healthz', '/readyz', '/metrics'];

/**
 * Answers under the service's own name and those of this computer only. For a service whose logins are the sandbox's: a
 * web page whose name was made to mean this computer would else be a page of ours to the browser, and could log in.
 */
export function refuseForeignHosts(app: HttpApp, { baseUrl }: { readonly baseUrl: string }): void {
  const own = new URL(baseUrl);
  const isOwn = (host: string): boolean => {
    const url = `${own.protocol}//${host}`;
    if (!URL.canParse(url)) return false;
    const named = new URL(url);
    return named.host === own.host || isLoopbackHost(named.hostname.replace(/\.$/, ''));
  };
  app.use('*', async (context, next) => {
    const { pathname, host } = new URL(context.req.url);
    if (!isOwn(context.req.header('host') ?? host) && !watched.includes(pathname)) {
      throw new ApiFailure(`The host is not ours: expected ${own.host}.`, { status: 421, code: 'misdirected_request' });
    }
    await next();
  });
}
