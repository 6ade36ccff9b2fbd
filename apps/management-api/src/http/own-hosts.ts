import { isLoopback } from '../configuration/values.ts';
import type { HttpApp } from './app.ts';
import { ApiFailure } from './errors.ts';

/** What programs that watch the service ask, by whatever name they know it. */
const watched: readonly string[] = ['/healthz', '/readyz', '/metrics'];

/**
 * Answers under the service's own name and those of this computer only. For a service whose logins are the sandbox's: a
 * web page whose name was made to mean this computer would else be a page of ours to the browser, and could log in.
 */
export function refuseForeignHosts(app: HttpApp, { baseUrl }: { readonly baseUrl: string }): void {
  const own = new URL(baseUrl).host;
  app.use('*', async (context, next) => {
    const { pathname, host: asked } = new URL(context.req.url);
    const host = (context.req.header('host') ?? asked).toLowerCase();
    const url = `http://${host}`;
    if (host !== own && !(URL.canParse(url) && isLoopback(url)) && !watched.includes(pathname)) {
      throw new ApiFailure(`The host is not ours: expected ${own}.`, { status: 421, code: 'misdirected_request' });
    }
    await next();
  });
}
