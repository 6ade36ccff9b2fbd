import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createManagementApi } from '../src/api.ts';
import { createAuditLog, entriesAnHour } from '../src/audit/audit-log.ts';
import { verifyAuditLog } from '../src/audit/verify-audit-log.ts';
import { openStore, type Store } from '../src/store/database.ts';
import { type CallOptions, type Edge, loopback, pkce, startEdge } from './edge.ts';

interface Entry {
  readonly actor: Record<string, string | undefined>;
  readonly action: string;
  readonly outcome: string;
  readonly code: string | undefined;
  readonly request_id: string | undefined;
  readonly address: string | undefined;
  readonly repeated: number | undefined;
}

const hourMs = 60 * 60_000;
const address = '203.0.113.7';
let now = Date.now();
let edge: Edge;
beforeAll(async () => {
  edge = await startEdge({ now: () => now, trustedProxyHeader: 'fly-client-ip' });
});
afterAll(() => edge.stop());

const call = (path: string, options: CallOptions = {}): Promise<Response> =>
  edge.call(path, { ...options, headers: { 'fly-client-ip': address, ...options.headers } });

const post = (json: object, path = '/api/v1/auth/token'): Promise<Response> => call(path, { method: 'POST', json });

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** A login with a code, as programs do it; `verifier` is what the program sends. */
async function codeLogin(email: string, sent?: string): Promise<{ tokens: Tokens; response: Response }> {
  const { verifier, challenge } = pkce();
  const asked = { code_challenge: challenge, code_challenge_method: 'S256', scope: 'offline_access' };
  const code = (await edge.browse(asked, { email })).searchParams.get('code');
  const grant = { grant_type: 'authorization_code', code, redirect_uri: loopback };
  const response = await post({ ...grant, code_verifier: sent ?? verifier });
  return { response, tokens: (await response.clone().json()) as Tokens };
}

const refresh = (token: string): Promise<Response> => post({ grant_type: 'refresh_token', refresh_token: token });

/** What a user sees of their own account, the earliest first. */
async function entriesOf(token: string): Promise<Entry[]> {
  const response = await call('/api/v1/auth/audit-log?limit=200', { token });
  expect(response.status).toBe(200);
  return ((await response.json()) as { data: Entry[] }).data.toReversed();
}

const anonymous = async (): Promise<Entry[]> =>
  (await edge.store.pool.query(`select * from audit_entries where chain = 'anonymous' order by sequence`)).rows;

const told = (entries: readonly Entry[]): string[] =>
  entries.map(({ action, outcome, code }) => [action, outcome, code].filter(Boolean).join(' '));

test('a user sees each login and its end: from where, in which request and session', async () => {
  const { response, tokens } = await codeLogin('ada@example.com');
  now += 1000;
  await refresh(tokens.refresh_token);
  const [login, refreshed] = await entriesOf(tokens.access_token);
  expect(login).toMatchObject({
    actor: { kind: 'user', email: 'ada@example.com' },
    action: 'auth.login',
    outcome: 'succeeded',
    address,
    request_id: response.headers.get('x-request-id'),
  });
  expect(login?.actor['session_id']).toMatch(/^[\da-f-]{36}$/);
  expect(refreshed).toMatchObject({ action: 'auth.refresh', actor: { session_id: login?.actor['session_id'] } });

  const second = await codeLogin('ada@example.com');
  await post({ token: second.tokens.refresh_token }, '/api/v1/auth/revoke');
  // It had ended: nothing more happens.
  await post({ token: second.tokens.refresh_token }, '/api/v1/auth/revoke');
  const json = { name: 'CI', scopes: ['deploy'] };
  await call('/api/v1/auth/api-tokens', { method: 'POST', token: tokens.access_token, json });
  expect(told(await entriesOf(tokens.access_token)).slice(2)).toEqual([
    'auth.login succeeded',
    'auth.logout succeeded',
    'apiTokens.create succeeded',
  ]);
});

test('programs with OAuth’s forms and those of the predecessor leave the same trace', async () => {
  const { token } = await edge.login('form@example.com');
  const grant = { grant_type: 'refresh_token', refresh_token: 'sprt_nobody' };
  await call('/api/v1/auth/token', { method: 'POST', form: grant });
  expect(told(await entriesOf(token))).toEqual(['auth.login succeeded']);
  expect((await anonymous()).at(-1)).toMatchObject({ action: 'auth.refresh', code: 'invalid_grant', address });
});

test('a stolen code or refresh token shows to the one it was stolen from', async () => {
  const { tokens } = await codeLogin('victim@example.com');
  await codeLogin('victim@example.com', pkce().verifier);
  const { access_token: current } = (await codeLogin('victim@example.com')).tokens;
  await refresh(tokens.refresh_token);
  now += 2 * 60_000;
  expect((await refresh(tokens.refresh_token)).status).toBe(400);
  expect(told(await entriesOf(current))).toEqual([
    'auth.login succeeded',
    'auth.login refused invalid_grant',
    'auth.login succeeded',
    'auth.refresh succeeded',
    'auth.refresh refused refresh_token_reused',
  ]);
});

test('an allowed device shows with the person’s address, and a guessed code too', async () => {
  const { token } = await edge.login('device@example.com');
  const begun = await post({}, '/api/v1/auth/device');
  const { device_code: deviceCode, user_code: userCode } = (await begun.json()) as Record<string, string>;
  const poll = () => post({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: deviceCode });
  expect((await poll()).status).toBe(400);
  for (const typed of ['BCDFGHJK', userCode ?? '']) {
    const page = await typeCode(typed, 'device@example.com');
    const ticket = /name="ticket" value="([^"]+)"/.exec(page)?.[1] ?? '';
    if (typed !== userCode) continue;
    await call('/device/confirm', { method: 'POST', form: { ticket, user_code: typed, action: 'allow' } });
  }
  now += 10_000;
  expect((await poll()).status).toBe(200);
  const entries = await entriesOf(token);
  expect(told(entries)).toEqual([
    'auth.login succeeded',
    'auth.allowDevice refused unknown_code',
    'auth.allowDevice succeeded',
    'auth.login succeeded',
  ]);
  expect(entries[2]).toMatchObject({ address });
});

async function typeCode(userCode: string, email: string): Promise<string> {
  const begun = await call('/device', { method: 'POST', form: { user_code: userCode, provider: 'github' } });
  const login = Object.fromEntries(new URL(begun.headers.get('location') ?? '').searchParams);
  const posted = await call('/sandbox/identity', {
    method: 'POST',
    form: { ...login, action: 'continue', name: 'Ada', email },
  });
  return await (await call(posted.headers.get('location') ?? '')).text();
}

test('who says no at the provider, or brings a login that nobody began, is no user', async () => {
  const count = (await anonymous()).length;
  await edge.browse({ code_challenge: pkce().challenge, code_challenge_method: 'S256' }, { action: 'deny' });
  await call(`/api/v1/auth/oauth/github/callback?state=${'x'.repeat(32)}&code=y`);
  expect(told((await anonymous()).slice(count))).toEqual([
    'auth.login refused access_denied',
    'auth.login refused unknown_login',
  ]);
});

test('an attacker fills no disk: beyond some an hour they are counted, and one entry stands for the rest', async () => {
  now += 2 * hourMs;
  const before = (await anonymous()).length;
  await Promise.all(Array.from({ length: 70 }, () => refresh(`sprt_${randomUUID()}`)));
  expect(await anonymous()).toHaveLength(before + entriesAnHour);
  await createAuditLog({ store: edge.store, now: () => now }).settle();
  expect(await anonymous()).toHaveLength(before + entriesAnHour);

  now += 2 * hourMs;
  // By two replicas at once: each is written by one of them.
  const settle = () => createAuditLog({ store: edge.store, now: () => now }).settle();
  await Promise.all([settle(), settle(), settle()]);
  const after = await anonymous();
  expect(after).toHaveLength(before + entriesAnHour + 1);
  expect(after.at(-1)).toMatchObject({ action: 'auth.refresh', code: 'invalid_grant', repeated: 70 - entriesAnHour });
  expect((await edge.store.pool.query('select * from audit_counts')).rows).toEqual([]);
  expect(await verifyAuditLog(edge.store, { chain: 'anonymous' })).toMatchObject({ ok: true });
});

test('a user who is refused again and again fills no disk either, and sees how often it was', async () => {
  const { token, userId } = await edge.login('again@example.com');
  const remove = () => call(`/api/v1/auth/sessions/${randomUUID()}`, { method: 'DELETE', token });
  for (let time = 0; time < entriesAnHour + 5; time += 1) await remove();
  now += 2 * hourMs;
  const entries = await entriesOf(token);
  expect(entries).toHaveLength(1 + entriesAnHour + 1);
  expect(entries.at(-1)).toMatchObject({ actor: { id: userId }, code: 'session_not_found', repeated: 5 });
});

test('two replicas write one chain, each entry once', async () => {
  const stores: Store[] = [];
  try {
    const replicas = await Promise.all(
      [0, 1].map(async () => {
        const store = await openStore(edge.store.url);
        stores.push(store);
        return createManagementApi({ ...edge.ports, store }, edge.options);
      }),
    );
    const { tokens } = await codeLogin('busy@example.com');
    const { token, userId } = await edge.login('busy@example.com');
    const bodies = [
      ...Array.from({ length: 15 }, () => [
        '/api/v1/auth/token',
        'POST',
        { grant_type: 'refresh_token', refresh_token: tokens.refresh_token },
      ]),
      ...Array.from({ length: 15 }, (_, index) => [
        '/api/v1/auth/api-tokens',
        'POST',
        { name: `t${index}`, scopes: ['deploy'] },
      ]),
    ] as [string, string, object][];
    const answers = await Promise.all(
      bodies.map(async ([path, method, json], index) =>
        replicas[index % 2]?.fetch(
          new Request(new URL(path, 'http://127.0.0.1:7300'), {
            method,
            headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
            body: JSON.stringify(json),
          }),
        ),
      ),
    );
    expect(answers.map((answer) => answer?.status)).toEqual(bodies.map(() => 200));
    expect(told(await entriesOf(token)).toSorted()).toEqual(
      [
        ...Array.from({ length: 15 }, () => 'apiTokens.create succeeded'),
        ...Array.from({ length: 2 }, () => 'auth.login succeeded'),
        ...Array.from({ length: 15 }, () => 'auth.refresh succeeded'),
      ].toSorted(),
    );
    expect(await verifyAuditLog(edge.store, { chain: `account:${userId}` })).toMatchObject({ ok: true, entries: 32 });
  } finally {
    for (const store of stores) await store.close();
  }
});

test('it is the user’s alone, and holds no token', async () => {
  const { tokens } = await codeLogin('quiet@example.com');
  const json = { name: 'small', scopes: ['tenants:read'] };
  const made = await call('/api/v1/auth/api-tokens', { method: 'POST', token: tokens.access_token, json });
  const { data } = (await made.json()) as { data: { token: string } };
  expect((await call('/api/v1/auth/audit-log', { token: data.token })).status).toBe(403);
  expect((await call('/api/v1/auth/audit-log')).status).toBe(401);
  const { rows } = await edge.store.pool.query<Record<string, unknown>>('select * from audit_entries');
  const all = JSON.stringify(rows);
  for (const secret of [tokens.access_token, tokens.refresh_token, data.token, 'sprt_', 'eyJ']) {
    expect(all.includes(secret)).toBe(false);
  }
  const mine = await entriesOf(tokens.access_token);
  expect(new Set(mine.map(({ actor }) => actor['email']))).toEqual(new Set(['quiet@example.com']));
});

test('without its entry nobody is logged in', async () => {
  await edge.store.pool.query(
    `create function fail_audit() returns trigger language plpgsql as $$ begin raise exception 'no space'; end $$;
     create trigger fail_audit before insert on audit_entries for each row execute function fail_audit()`,
  );
  try {
    const { rows: before } = await edge.store.pool.query('select count(*) from login_sessions');
    const { response } = await codeLogin('ada@example.com');
    expect(response.status).toBe(500);
    expect((await refresh('sprt_nobody')).status).toBe(400);
    expect((await edge.store.pool.query('select count(*) from login_sessions')).rows).toEqual(before);
    expect(edge.logged.some((line) => line.includes('audit entry not written'))).toBe(true);
  } finally {
    await edge.store.pool.query('drop trigger fail_audit on audit_entries; drop function fail_audit');
  }
});
