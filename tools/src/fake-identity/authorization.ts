import { createHash, randomBytes } from 'node:crypto';

/** The client that is registered at the provider. */
export interface RegisteredClient {
  readonly clientId: string;
  readonly clientSecret: string;
  /** The one address that people are sent back to. */
  readonly redirectUri: string;
}

/** What a browser brings to the provider's page, checked. */
export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly scope: readonly string[];
  readonly nonce: string | undefined;
  readonly codeChallenge: string;
}

/** What a code stands for. */
export interface Grant<Person> {
  readonly person: Person;
  readonly request: AuthorizationRequest;
  readonly expiresAt: number;
}

/** Codes that wait for their one use. */
export interface Codes<Person> {
  issue(person: Person, request: AuthorizationRequest): string;
  /** The grant of a token request; `undefined`: the code is unknown, used, too old, or for somebody else. */
  redeem(form: URLSearchParams): Grant<Person> | undefined;
}

const lifetimeMs = 10 * 60_000;

/** Codes that work once, for the redirect address and the verifier that they were asked for with. */
export function createCodes<Person>(now: () => number): Codes<Person> {
  const grants = new Map<string, Grant<Person>>();
  return {
    issue: (person, request) => {
      const code = randomBytes(20).toString('base64url');
      grants.set(code, { person, request, expiresAt: now() + lifetimeMs });
      return code;
    },
    redeem: (form) => {
      const code = form.get('code') ?? '';
      const grant = grants.get(code);
      // The first attempt spends it.
      grants.delete(code);
      if (grant === undefined || grant.expiresAt <= now()) return undefined;
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      const fits = challenge === grant.request.codeChallenge && form.get('redirect_uri') === grant.request.redirectUri;
      return fits ? grant : undefined;
    },
  };
}

/**
 * Reads the address that a browser was sent to. What a provider would show an error page for is thrown: it never sends
 * anybody to an address that is not registered.
 */
export function readAuthorization(
  address: string,
  expected: { readonly endpoint: string; readonly client: RegisteredClient; readonly scope: readonly string[] },
): AuthorizationRequest {
  const url = new URL(address);
  const { endpoint, client } = expected;
  const query = url.searchParams;
  const scope = (query.get('scope') ?? '').split(' ');
  const problems = [
    [`${url.origin}${url.pathname}` !== endpoint, 'the address is not the authorization endpoint'],
    [query.get('client_id') !== client.clientId, 'client_id is not known'],
    [query.get('redirect_uri') !== client.redirectUri, 'redirect_uri is not registered'],
    [query.get('response_type') !== 'code', 'response_type is not code'],
    [query.get('code_challenge_method') !== 'S256', 'code_challenge_method is not S256'],
    [!/^[\w-]{43}$/.test(query.get('code_challenge') ?? ''), 'code_challenge is not one'],
    [(query.get('state') ?? '') === '', 'state is missing'],
    [query.has('client_secret') || query.has('code_verifier'), 'a secret is in the address'],
    [expected.scope.some((wanted) => !scope.includes(wanted)), `scope lacks ${expected.scope.join(' ')}`],
  ] as const;
  for (const [wrong, problem] of problems) if (wrong) throw new Error(`The provider refuses: ${problem}`);
  return {
    redirectUri: client.redirectUri,
    state: query.get('state') ?? '',
    scope,
    nonce: query.get('nonce') ?? undefined,
    codeChallenge: query.get('code_challenge') ?? '',
  };
}

/** The address that the browser is sent back to. */
export function answerUrl(
  { redirectUri, state }: AuthorizationRequest,
  answer: Readonly<Record<string, string>>,
): string {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries({ ...answer, state })) url.searchParams.set(name, value);
  return url.href;
}

/** Whether a token request comes from the client: by its form, or by HTTP basic. */
export function isClient(request: Request, form: URLSearchParams, client: RegisteredClient): boolean {
  const basic = /^Basic (\S+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
  const [id, secret] =
    basic === undefined
      ? [form.get('client_id'), form.get('client_secret')]
      : Buffer.from(basic, 'base64').toString().split(':').map(decodeURIComponent);
  return id === client.clientId && secret === client.clientSecret;
}
