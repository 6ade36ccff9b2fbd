import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { type AuthorizeUrlRequest, type OAuthFlowEvent, type OAuthFlowOptions, runOAuthFlow } from '../src/login.ts';

/** What a login is made of in these tests: a server that gives `?…` of the request back, and a browser. */
interface Login {
  readonly requests: AuthorizeUrlRequest[];
  readonly exchanged: unknown[];
  readonly events: OAuthFlowEvent[];
  readonly options: OAuthFlowOptions;
}

/** A login whose browser comes back with the query that `comeBack` makes of the request. */
function loginWith(
  comeBack: (request: AuthorizeUrlRequest) => Record<string, string>,
  overrides: Partial<OAuthFlowOptions> = {},
): Login & { readonly pages: Promise<string>[] } {
  const requests: AuthorizeUrlRequest[] = [];
  const exchanged: unknown[] = [];
  const events: OAuthFlowEvent[] = [];
  const pages: Promise<string>[] = [];
  const options: OAuthFlowOptions = {
    provider: 'github',
    getAuthorizeUrl: async (request) => {
      requests.push(request);
      return 'https://provider.example/authorize';
    },
    exchangeCode: async (request) => {
      exchanged.push(request);
      return { accessToken: 'the-token', refreshToken: 'the-refresh', expiresIn: 60 };
    },
    openBrowser: async () => {
      const request = requests[0] as AuthorizeUrlRequest;
      const page = fetch(`${request.redirectUri}?${new URLSearchParams(comeBack(request))}`).then((response) =>
        response.text(),
      );
      page.catch(() => undefined);
      pages.push(page);
      await page;
    },
    onEvent: (event) => events.push(event),
    templates: { successHtml: 'welcome', errorHtml: 'sorry' },
    ...overrides,
  };
  return { requests, exchanged, events, options, pages };
}

async function failureOf(login: Login): Promise<unknown> {
  return runOAuthFlow(login.options).then(
    () => 'no failure',
    (error: unknown) => error,
  );
}

test('a code is exchanged, with PKCE and the state given back', async () => {
  const login = loginWith(({ state }) => ({ code: 'the-code', state }));
  expect(await runOAuthFlow(login.options)).toEqual({
    accessToken: 'the-token',
    refreshToken: 'the-refresh',
    expiresIn: 60,
  });
  expect(await login.pages[0]).toBe('welcome');

  const [request] = login.requests;
  expect(request).toMatchObject({ provider: 'github', codeChallengeMethod: 'S256' });
  expect(request?.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  expect(request?.state.length).toBeGreaterThanOrEqual(32);
  const [exchange] = login.exchanged as { code: string; codeVerifier: string; redirectUri: string }[];
  expect(exchange).toMatchObject({ code: 'the-code', redirectUri: request?.redirectUri });
  expect(exchange?.codeVerifier).toMatch(/^[\w.~-]{43,128}$/);
  expect(
    createHash('sha256')
      .update(exchange?.codeVerifier ?? '')
      .digest('base64url'),
  ).toBe(request?.codeChallenge);
  expect(login.events).toEqual([
    { type: 'listening', redirectUri: request?.redirectUri },
    { type: 'authorize-url', url: 'https://provider.example/authorize' },
  ]);
});

test('it listens before it asks the server', async () => {
  const login = loginWith(() => ({}), {
    getAuthorizeUrl: async ({ redirectUri, state }) => {
      const page = await fetch(new URL('/', redirectUri));
      expect(page.status).toBe(404);
      void fetch(`${redirectUri}?code=early&state=${state}`);
      return new Promise(() => undefined);
    },
  });
  expect(await runOAuthFlow(login.options)).toMatchObject({ accessToken: 'the-token' });
});

test('state and verifier are new for every login', async () => {
  const logins = [1, 2].map(() => loginWith(({ state }) => ({ code: 'c', state })));
  for (const { options } of logins) await runOAuthFlow(options);
  expect(new Set(logins.map(({ requests }) => requests[0]?.state)).size).toBe(2);
  expect(new Set(logins.map(({ requests }) => requests[0]?.codeChallenge)).size).toBe(2);
});

test.each([
  { why: 'without state', query: (): Record<string, string> => ({ access_token: 'direct' }) },
  {
    why: 'with state',
    query: ({ state }: AuthorizeUrlRequest): Record<string, string> => ({ access_token: 'direct', state }),
  },
])('the token of the predecessor’s server is taken $why', async ({ query }) => {
  const login = loginWith(query, { acceptDirectToken: true });
  expect(await runOAuthFlow(login.options)).toEqual({ accessToken: 'direct' });
  expect(login.exchanged).toEqual([]);
});

test('a token in place of a code is taken when it comes with the state of the login', async () => {
  const login = loginWith(({ state }) => ({ access_token: 'direct', state }));
  expect(await runOAuthFlow(login.options)).toEqual({ accessToken: 'direct' });
  expect(login.exchanged).toEqual([]);
});

test('a token that nobody asked for is refused, so that no web page can plant one', async () => {
  const login = loginWith(() => ({ access_token: 'planted' }));
  const error = await failureOf(login);
  expect(error).toMatchObject({ code: 'SP_LOGIN_NO_TOKEN' });
  expect(inspect(error, { depth: 9 })).not.toContain('planted');
  expect(await login.pages[0]).toBe('sorry');
});

test.each([
  { why: 'a code without state', query: { code: 'the-code' }, code: 'SP_LOGIN_STATE_MISMATCH' },
  { why: 'a code with another state', query: { code: 'the-code', state: 'other' }, code: 'SP_LOGIN_STATE_MISMATCH' },
  { why: 'a code with an empty state', query: { code: 'the-code', state: '' }, code: 'SP_LOGIN_STATE_MISMATCH' },
  {
    why: 'a code and a token',
    query: { code: 'the-code', access_token: 'the-token' },
    code: 'SP_LOGIN_STATE_MISMATCH',
  },
  {
    why: 'a token with another state',
    query: { access_token: 'the-token', state: 'other' },
    code: 'SP_LOGIN_STATE_MISMATCH',
  },
  { why: 'nothing', query: {}, code: 'SP_LOGIN_NO_TOKEN' },
  { why: 'an empty token', query: { access_token: '' }, code: 'SP_LOGIN_NO_TOKEN' },
  { why: 'an error', query: { error: 'access_denied' }, code: 'SP_LOGIN_DENIED' },
  {
    why: 'an error and a token',
    query: { error: 'access_denied', access_token: 'the-token' },
    code: 'SP_LOGIN_DENIED',
  },
])('a callback with $why fails, shows the error page and exchanges nothing', async ({ query, code }) => {
  const login = loginWith(() => query);
  const error = await failureOf(login);
  expect(error).toMatchObject({ code });
  expect(await login.pages[0]).toBe('sorry');
  expect(login.exchanged).toEqual([]);
  expect(inspect(error, { depth: 9 })).not.toMatch(/the-code|the-token/);
});

test('an empty code with the right state gives no token', async () => {
  const error = await failureOf(loginWith(({ state }) => ({ code: '', state })));
  expect(error).toMatchObject({ code: 'SP_LOGIN_NO_TOKEN' });
});

test('a denial keeps its facts but no control characters', async () => {
  const denied = loginWith(() => ({ error: 'access_denied', error_description: '\u001B[31mno\u202E\nway' }));
  expect(await failureOf(denied)).toMatchObject({ error: 'access_denied', description: '[31mno way' });
  const silent = loginWith(() => ({ error: 'access_denied' }));
  expect(await failureOf(silent)).toMatchObject({ description: '(no description provided)' });
});

test('what the exchange throws comes out after the error page', async () => {
  const failure = new Error('server said no');
  const login = loginWith(({ state }) => ({ code: 'c', state }), { exchangeCode: () => Promise.reject(failure) });
  expect(await failureOf(login)).toBe(failure);
  expect(await login.pages[0]).toBe('sorry');
  const empty = loginWith(({ state }) => ({ code: 'c', state }), { exchangeCode: async () => ({ accessToken: '' }) });
  expect(await failureOf(empty)).toMatchObject({ code: 'SP_LOGIN_NO_TOKEN' });
});

test('a second callback gets the error page and is not exchanged', async () => {
  let second: Promise<string> | undefined;
  const login = loginWith(({ state }) => ({ code: 'first', state }), {
    exchangeCode: async ({ code, redirectUri }) => {
      expect(code).toBe('first');
      const { port } = new URL(redirectUri);
      const socket = connect(Number(port), '127.0.0.1');
      second = text(socket);
      socket.write(
        `GET /callback?code=second&state=${login.requests[0]?.state} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
      );
      // Once this later request is answered, the listener has the second callback.
      await fetch(new URL('/', redirectUri));
      return { accessToken: 'the-token' };
    },
  });
  expect(await runOAuthFlow(login.options)).toEqual({ accessToken: 'the-token' });
  expect(await login.pages[0]).toBe('welcome');
  expect(await second).toMatch(/\r\n\r\nsorry$/);
});

test('a browser that does not open is an event, and the login goes on', async () => {
  for (const openBrowser of [
    () => Promise.reject(new Error('no display')),
    () => {
      throw new Error('no display');
    },
  ]) {
    const login = loginWith(() => ({}), {
      openBrowser,
      onEvent: (event) => {
        login.events.push(event);
        const [request] = login.requests;
        if (event.type === 'browser-failed') void fetch(`${request?.redirectUri}?code=c&state=${request?.state}`);
      },
    });
    expect(await runOAuthFlow(login.options)).toMatchObject({ accessToken: 'the-token' });
    expect(login.events.at(-1)).toEqual({ type: 'browser-failed', message: 'no display' });
  }
});

test.each(['file:///etc/passwd', 'javascript:alert(1)', 'not a url', ''])(
  'the login page %j is not opened',
  async (url) => {
    const login = loginWith(() => ({}), { getAuthorizeUrl: async () => url });
    expect(await failureOf(login)).toMatchObject({ code: 'SP_LOGIN_BAD_AUTHORIZE_URL' });
    expect(login.pages).toEqual([]);
  },
);

test('what the server throws comes out, and the port is free again', async () => {
  const failure = new Error('unreachable');
  const rejecting = loginWith(() => ({}), { getAuthorizeUrl: () => Promise.reject(failure) });
  expect(await failureOf(rejecting)).toBe(failure);
  const throwing = loginWith(() => ({}), {
    getAuthorizeUrl: () => {
      throw failure;
    },
  });
  expect(await failureOf(throwing)).toBe(failure);
  const [listening] = throwing.events;
  await expect(fetch((listening as { redirectUri: string }).redirectUri)).rejects.toThrow();
});

test('the time can run out, at the browser and at the server', async () => {
  const browser = loginWith(() => ({}), { openBrowser: () => undefined, timeoutMs: 20 });
  expect(await failureOf(browser)).toMatchObject({ code: 'SP_LOGIN_TIMEOUT', seconds: 0.02 });
  const server = loginWith(() => ({}), { getAuthorizeUrl: () => new Promise(() => undefined), timeoutMs: 20 });
  expect(await failureOf(server)).toMatchObject({ code: 'SP_LOGIN_TIMEOUT' });
});

test('the login can be aborted', async () => {
  const controller = new AbortController();
  const login = loginWith(() => ({}), { openBrowser: () => controller.abort(), signal: controller.signal });
  expect(await failureOf(login)).toMatchObject({ code: 'SP_LOGIN_ABORTED' });
});

test('a busy port is named before the server is asked', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const login = loginWith(() => ({}), { port });
  expect(await failureOf(login)).toMatchObject({ code: 'SP_LOGIN_PORT_BUSY', port });
  expect(login.requests).toEqual([]);
  other.close();
});

test('the default pages are whole documents that say nothing from outside', async () => {
  const good = loginWith(({ state }) => ({ code: 'the-code', state }), { templates: {} });
  await runOAuthFlow(good.options);
  const bad = loginWith(() => ({ error: '<script>', error_description: '<b>' }), { templates: {} });
  await failureOf(bad);
  const [success, failure] = await Promise.all([good.pages[0], bad.pages[0]]);
  expect(success).toMatch(/^<!doctype html>[^]*You are signed in/);
  expect(success).not.toMatch(/the-code|the-token/);
  expect(failure).toMatch(/^<!doctype html>[^]*You are not signed in/);
  expect(failure).not.toMatch(/<script>|<b>|&lt;/);
});
