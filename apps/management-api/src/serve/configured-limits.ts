import type { Configuration } from '../configuration/configuration.ts';
import { defaultRateLimits, type RateLimit, type RateLimits } from '../http/rate-limits.ts';

/** The limits of the configuration: how often, within the times of {@link defaultRateLimits}. */
export function configuredLimits(configuration: Configuration): RateLimits {
  const limit = (name: keyof RateLimits): RateLimit => ({
    ...defaultRateLimits[name],
    points: configuration[`${name}RateLimit`],
  });
  return {
    address: limit('address'),
    user: limit('user'),
    login: limit('login'),
    device: limit('device'),
    token: limit('token'),
    deviceCode: limit('deviceCode'),
    credentials: limit('credentials'),
    checkout: limit('checkout'),
  };
}
