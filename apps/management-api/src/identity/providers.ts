import type { OAuthProvider } from '@sp/cloud-api/contract';
import { ApiFailure } from '../http/errors.ts';
import type { Identity } from '../ports/identity.ts';

/** What people call them. */
export const providerNames: Readonly<Record<OAuthProvider, string>> = { github: 'GitHub', google: 'Google' };

/** Puts the providers together that this installation has. */
export function createIdentity(providers: Readonly<Partial<Record<OAuthProvider, Identity>>>): Identity {
  const resolve = (provider: OAuthProvider): Identity => {
    const identity = providers[provider];
    if (identity !== undefined) return identity;
    throw new ApiFailure(`provider: nobody can log in with ${providerNames[provider]} here.`, {
      status: 400,
      code: 'provider_not_configured',
    });
  };
  return {
    providers: Object.entries(providers).flatMap(([name, identity]) =>
      identity.providers.filter(({ provider }) => provider === name),
    ),
    authorizeUrl: async (request) => await resolve(request.provider).authorizeUrl(request),
    redeem: async (request) => await resolve(request.provider).redeem(request),
  };
}
