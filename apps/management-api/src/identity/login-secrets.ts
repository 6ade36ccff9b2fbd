import { calculatePKCECodeChallenge } from 'openid-client';
import type { Vault } from '../ports/vault.ts';

/** What a login keeps from the browser. */
export interface LoginSecrets {
  readonly codeVerifier: string;
  readonly codeChallenge: string;
  readonly nonce: string;
}

/**
 * The secrets of a login, made from its `state` with a key of the vault: whichever replica the browser comes back to can
 * make them again, and nobody who sees the `state` can.
 */
export async function loginSecrets(vault: Pick<Vault, 'derive'>, state: string): Promise<LoginSecrets> {
  const codeVerifier = vault.derive(`login verifier|${state}`).toString('base64url');
  const nonce = vault.derive(`login nonce|${state}`).toString('base64url');
  return { codeVerifier, nonce, codeChallenge: await calculatePKCECodeChallenge(codeVerifier) };
}
