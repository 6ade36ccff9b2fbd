import { type Edge, loopback, pkce } from './edge.ts';

/** The answer of the token endpoint. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
}

/** Logs somebody in with a code; `scope` decides about the refresh token. */
export async function logIn(edge: Edge, options: { email?: string; scope?: string } = {}): Promise<Tokens> {
  const { email = 'ada@example.com', scope = 'offline_access' } = options;
  const { verifier, challenge } = pkce();
  const query = { state: 'client-state', code_challenge: challenge, ...(scope === '' ? {} : { scope }) };
  const code = (await edge.browse(query, { email })).searchParams.get('code') ?? '';
  const json = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: loopback };
  return (await (await edge.call('/api/v1/auth/token', { method: 'POST', json })).json()) as Tokens;
}

export function refresh(edge: Edge, token: string): Promise<Response> {
  const json = { grant_type: 'refresh_token', refresh_token: token };
  return edge.call('/api/v1/auth/token', { method: 'POST', json });
}

/** 200 when the API takes the token. */
export async function statusWith(edge: Edge, token: string): Promise<number> {
  return (await edge.call('/api/v1/auth/me', { token })).status;
}
