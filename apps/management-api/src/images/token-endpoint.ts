import type { RegistryAction, RegistryTokens } from './registry-tokens.ts';
import { publicRepository } from './tenant-repository.ts';

/**
 * Answers the registry's token requests: the password comes by Basic authentication (its user name does not matter), the
 * answer is an access token for the part of the wanted scopes that the password allows. Asking for too much is no error.
 */
export async function answerTokenRequest(
  request: Request,
  options: { readonly tokens: RegistryTokens; readonly service: string },
): Promise<Response> {
  const { tokens, service } = options;
  if (request.method !== 'GET') return refuse(405, { code: 'UNSUPPORTED', message: 'tokens are given by GET' });
  const password = basicPassword(request.headers.get('authorization'));
  const grant = password === undefined ? undefined : await tokens.verifyPassword(password);
  if (grant === undefined) {
    const message = password === undefined ? 'login required' : 'the registry token is not valid any more';
    return refuse(401, { code: 'UNAUTHORIZED', message }, { 'www-authenticate': `Basic realm="${service}"` });
  }
  const wanted = new URL(request.url).searchParams.getAll('scope').flatMap((value) => value.split(' '));
  const actions = wanted.flatMap(wantedActions).filter((action) => grant.allowed.includes(action));
  const access = await tokens.issueAccess({ ...grant, actions: Array.from(new Set(actions)) });
  const body = {
    token: access.token,
    access_token: access.token,
    expires_in: access.expiresIn,
    issued_at: access.issuedAt.toISOString(),
  };
  return Response.json(body, { headers: { 'cache-control': 'no-store' } });
}

/** What a scope (`repository:<name>:pull,push`) wants in the one repository that there is. */
function wantedActions(scope: string): readonly RegistryAction[] {
  const [type, name, actions = ''] = scope.split(':');
  if (type !== 'repository' || name !== publicRepository) return [];
  return actions.split(',').filter((action) => action === 'pull' || action === 'push');
}

function basicPassword(header: string | null): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : text.slice(colon + 1);
}

function refuse(
  status: number,
  error: { code: string; message: string },
  headers: Record<string, string> = {},
): Response {
  return Response.json({ errors: [error] }, { status, headers: { 'cache-control': 'no-store', ...headers } });
}
