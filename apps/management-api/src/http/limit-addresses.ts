import { contract } from '@sp/cloud-api/contract';
import type { HttpApp } from './app.ts';
import { addressBlock } from './client-address.ts';
import type { RateLimiter, RateLimits } from './rate-limits.ts';

const { getAuthorizeUrl, createDeviceLogin, createToken } = contract.auth;

/** Addresses where somebody who has not logged in can make work, or guess. */
const limited: readonly { readonly method: string; readonly path: string; readonly limit: keyof RateLimits }[] = [
  { method: 'GET', path: getAuthorizeUrl.path.replace('{provider}', ':provider'), limit: 'login' },
  { method: 'GET', path: '/oauth/authorize', limit: 'login' },
  { method: 'POST', path: createDeviceLogin.path, limit: 'device' },
  { method: 'POST', path: createToken.path, limit: 'token' },
  { method: 'POST', path: '/device', limit: 'deviceCode' },
  // One that follows is no guess: it needs what the page before has given.
  { method: 'POST', path: '/device/confirm', limit: 'login' },
];

/** Counts requests by where they come from, before anything else looks at them. */
export function limitAddresses(app: HttpApp, limiter: RateLimiter): void {
  app.use('/api/v1/*', async (context, next) => {
    // The payment provider sends what it has to send; its signature is what lets it in.
    if (!context.req.path.startsWith('/api/v1/webhooks/')) {
      Object.assign(context.get('headers'), limiter.count('address', addressBlock(context.get('address'))));
    }
    await next();
  });
  for (const { method, path, limit } of limited) {
    app.on(method, path, async (context, next) => {
      Object.assign(context.get('headers'), await limiter.consume(limit, addressBlock(context.get('address'))));
      await next();
    });
  }
}
