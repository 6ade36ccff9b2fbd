import type { Endpoint } from '@sp/cloud-api/contract';
import { defaultRateLimits, type RateLimits } from '../http/rate-limits.ts';

/** A limit that requests for an endpoint count for. */
export interface EndpointLimit {
  /** As `RateLimit-Policy` names it. */
  readonly name: keyof RateLimits;
  readonly requests: number;
  readonly seconds: number;
  /** What is counted. */
  readonly per: 'user' | 'address';
}

/** Limits of single endpoints, by name. */
const own: Readonly<Record<string, keyof RateLimits>> = {
  'auth.getAuthorizeUrl': 'login',
  'auth.createDeviceLogin': 'device',
  'auth.createToken': 'token',
  'checkout.create': 'checkout',
  'tenants.getCredentials': 'credentials',
};

const perUser: ReadonlySet<string> = new Set(['user', 'credentials', 'checkout'] satisfies (keyof RateLimits)[]);

/** The limits that hold for an endpoint where the operator has set no others. */
export function limitsOf(name: string, { auth }: Pick<Endpoint, 'auth'>): readonly EndpointLimit[] {
  const special = own[name];
  const names: readonly (keyof RateLimits)[] = [
    'address',
    ...(auth === 'bearer' ? (['user'] as const) : []),
    ...(special === undefined ? [] : [special]),
  ];
  return names.map((limit) => {
    const { points, seconds } = defaultRateLimits[limit];
    return { name: limit, requests: points, seconds, per: perUser.has(limit) ? 'user' : 'address' };
  });
}
