import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { answerUrl, createCodes, isClient, type RegisteredClient, readAuthorization } from './authorization.ts';
import type { IdentityFault } from './fake-google.ts';

/** Somebody with a GitHub account. */
export interface GitHubPerson {
  readonly id: number;
  readonly login: string;
  readonly name?: string | null;
  readonly emails: readonly { readonly email: string; readonly primary: boolean; readonly verified: boolean }[];
}

/** GitHub in this process, its pages and its API under one address, with the people at its pages. */
export interface FakeGitHub {
  fetch(request: Request): Promise<Response>;
  /** Somebody allows the login; gives the address that their browser is sent to. */
  allow(authorizeUrl: string, person: GitHubPerson): string;
  /** Somebody does not. */
  deny(authorizeUrl: string): string;
  failNext(...faults: readonly IdentityFault[]): void;
}

/** Stands in for `https://github.com` and `https://api.github.com`. */
export function createFakeGitHub(options: {
  /** Its own address. */
  readonly webUrl: () => string;
  readonly client: RegisteredClient;
  /** How long the fault `silence` lasts, in milliseconds. @defaultValue 60000 */
  readonly silenceMs?: number | undefined;
  readonly now?: (() => number) | undefined;
}): FakeGitHub {
  const { webUrl, client, silenceMs = 60_000, now = Date.now } = options;
  const codes = createCodes<GitHubPerson>(now);
  const tokens = new Map<string, { readonly person: GitHubPerson; readonly scope: readonly string[] }>();
  const faults: IdentityFault[] = [];
  const app = new Hono();

  app.post('/login/oauth/access_token', async ({ req, json, body }) => {
    const form = new URLSearchParams(await req.text());
    // Without the header the answer is a form.
    if (!(req.header('accept') ?? '').includes('application/json')) {
      return body('error=unacceptable', 200, { 'content-type': 'application/x-www-form-urlencoded' });
    }
    // Refusals come with 200.
    if (!isClient(req.raw, form, client)) return json({ error: 'incorrect_client_credentials' });
    const grant = codes.redeem(form);
    if (grant === undefined) {
      return json({ error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' });
    }
    const token = `gho_${randomBytes(18).toString('hex')}`;
    const { scope } = grant.request;
    tokens.set(token, { person: grant.person, scope });
    return json({ access_token: token, token_type: 'bearer', scope: scope.join(',') });
  });

  app.use('/user/*', async ({ req, json }, next) => {
    if ((req.header('user-agent') ?? '') === '') return json({ message: 'Request forbidden: no User-Agent' }, 403);
    return tokenOf(req.header('authorization')) === undefined
      ? json({ message: 'Bad credentials' }, 401)
      : await next();
  });

  app.get('/user', ({ req, json }) => {
    const granted = tokenOf(req.header('authorization'));
    if (granted === undefined) return json({ message: 'Bad credentials' }, 401);
    const { id, login, name = null, emails } = granted.person;
    // The public address is whatever the person likes, verified or not.
    return json({ id, login, name, email: emails.at(-1)?.email ?? null, type: 'User' });
  });

  app.get('/user/emails', ({ req, json }) => {
    const granted = tokenOf(req.header('authorization'));
    if (granted === undefined || !granted.scope.includes('user:email')) return json({ message: 'Not Found' }, 404);
    return json(granted.person.emails.map((email) => ({ ...email, visibility: null })));
  });

  function tokenOf(header: string | undefined) {
    return tokens.get(/^(?:Bearer|token) (\S+)$/.exec(header ?? '')?.[1] ?? '');
  }

  const read = (address: string) =>
    readAuthorization(address, { endpoint: `${webUrl()}/login/oauth/authorize`, client, scope: ['user:email'] });

  return {
    fetch: async (request) => {
      const fault = faults.shift();
      if (fault === 'error') return Response.json({ message: 'Server Error' }, { status: 500 });
      if (fault === 'html') return new Response('<h1>Unicorn</h1>', { headers: { 'content-type': 'text/html' } });
      if (fault === 'silence') await new Promise((done) => setTimeout(done, silenceMs).unref());
      return await app.fetch(request);
    },
    allow: (authorizeUrl, person) => {
      const request = read(authorizeUrl);
      return answerUrl(request, { code: codes.issue(person, request) });
    },
    deny: (authorizeUrl) => {
      const description = 'The user has denied your application access.';
      return answerUrl(read(authorizeUrl), { error: 'access_denied', error_description: description });
    },
    failNext: (...next) => void faults.push(...next),
  };
}
