import type { Hono } from 'hono';
import type { Logger } from 'pino';
import { createPaddleBilling } from '../billing/paddle.ts';
import { createSandboxBilling } from '../billing/sandbox.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { createGitHubIdentity } from '../identity/github.ts';
import { createGoogleIdentity } from '../identity/google.ts';
import { createIdentity } from '../identity/providers.ts';
import { createSandboxIdentity } from '../identity/sandbox.ts';
import type { Billing } from '../ports/billing.ts';
import type { Identity } from '../ports/identity.ts';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';

/** A provider, with the pages of ours that belong to it. */
export interface WithPages {
  readonly pages?: Hono | undefined;
}

/** Who vouches for people, as configured. */
export function openIdentity(configuration: Configuration, { vault }: { readonly vault: Vault }): Identity & WithPages {
  const { baseUrl, identity, githubClientId = '', githubClientSecret = '' } = configuration;
  const { googleClientId = '', googleClientSecret = '' } = configuration;
  if (identity.includes('sandbox')) return createSandboxIdentity({ baseUrl });
  const github = (): Identity =>
    createGitHubIdentity({
      clientId: githubClientId,
      clientSecret: githubClientSecret,
      vault,
      webUrl: configuration.githubUrl,
      apiUrl: configuration.githubApiUrl,
    });
  const google = (): Identity =>
    createGoogleIdentity({
      clientId: googleClientId,
      clientSecret: googleClientSecret,
      vault,
      issuer: configuration.googleIssuer,
    });
  return createIdentity({
    ...(identity.includes('github') ? { github: github() } : {}),
    ...(identity.includes('google') ? { google: google() } : {}),
  });
}

/** Who takes the money, as configured, and what its webhooks are signed with. */
export function openBilling(
  configuration: Configuration,
  { store, vault, logger }: { readonly store: Store; readonly vault: Vault; readonly logger: Logger },
): { readonly billing: Billing & WithPages; readonly webhookSecrets: readonly string[] } {
  const { baseUrl, paddleApiKey = '', paddleClientToken = '', paddleWebhookSecrets = [] } = configuration;
  if (configuration.billing === 'sandbox') {
    const webhookSecret = vault.derive('sandbox webhooks').toString('base64url');
    return {
      billing: createSandboxBilling({ store, baseUrl, webhookSecret, logger }),
      webhookSecrets: [webhookSecret],
    };
  }
  const billing = createPaddleBilling({
    apiKey: paddleApiKey,
    environment: configuration.paddleEnvironment,
    clientToken: paddleClientToken,
    baseUrl,
    store,
    logger,
  });
  return { billing, webhookSecrets: paddleWebhookSecrets };
}
