import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Edge, failure, loopback, startEdge } from './edge.ts';
import { logIn, refresh, statusWith, type Tokens } from './login-tokens.ts';

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.stop());

async function refreshed(token: string): Promise<Tokens> {
  const response = await refresh(edge, token);
  expect(response.status).toBe(200);
  return (await response.json()) as Tokens;
}

async function passGrace(): Promise<void> {
  await edge.store.pool.query("update refresh_tokens set replaced_at = replaced_at - interval '61 seconds'");
}

test('a login that asks for it gets a short token and a refresh token that gives the next pair', async () => {
  const first = await logIn(edge);
  expect(first.expires_in).toBe(3600);
  const second = await refreshed(first.refresh_token);
  expect(second.expires_in).toBe(3600);
  expect(second.refresh_token).not.toBe(first.refresh_token);
  expect(await statusWith(edge, second.access_token)).toBe(200);
  const third = await refreshed(second.refresh_token);
  expect(await statusWith(edge, third.access_token)).toBe(200);
  expect(await statusWith(edge, first.access_token)).toBe(200);
});

test('a login that does not ask for it gets the long token of the predecessor, and nothing to refresh', async () => {
  const tokens = await logIn(edge, { scope: '' });
  expect(tokens.expires_in).toBe(2_592_000);
  expect(tokens.refresh_token).toBeUndefined();
});

test('a refresh token never comes in an address', async () => {
  const query = new URLSearchParams({ redirect_uri: loopback, scope: 'offline_access' });
  const response = await edge.call(`/api/v1/auth/oauth/github?${query}`);
  expect(await failure(response)).toMatchObject({ status: 400, code: 'invalid_request' });
});

test('a replaced token gives the same successor for a minute, also to many at once', async () => {
  const { refresh_token: token } = await logIn(edge);
  const answers = await Promise.all(Array.from({ length: 20 }, () => refreshed(token)));
  expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1);
  const next = answers[0]?.refresh_token ?? '';
  await refreshed(next);
  expect((await refreshed(token)).refresh_token).toBe(next);
});

test('a token that was replaced longer ago ends its session, with every token of it', async () => {
  const stolen = await logIn(edge, { email: 'eve@example.com' });
  const other = await logIn(edge, { email: 'eve@example.com' });
  const thief = await refreshed(stolen.refresh_token);
  await passGrace();
  expect(await failure(await refresh(edge, stolen.refresh_token))).toMatchObject({
    status: 400,
    code: 'invalid_grant',
  });
  expect(await failure(await refresh(edge, thief.refresh_token))).toMatchObject({ code: 'invalid_grant' });
  expect(await statusWith(edge, thief.access_token)).toBe(401);
  // Another login of the same person is not touched.
  expect(await statusWith(edge, other.access_token)).toBe(200);
  await refreshed(other.refresh_token);
});

test('a refresh token that is unknown or expired is refused', async () => {
  expect(await failure(await refresh(edge, 'sprt_made-up'))).toMatchObject({ status: 400, code: 'invalid_grant' });
  const { refresh_token: token } = await logIn(edge, { email: 'late@example.com' });
  await edge.store.pool.query(
    "update login_sessions set expires_at = now() - interval '1 second' where user_id = (select id from users where email = 'late@example.com')",
  );
  expect(await failure(await refresh(edge, token))).toMatchObject({ code: 'invalid_grant' });
});

test('a session is listed with what the program calls itself, and ends by its id', async () => {
  const one = await logIn(edge, { email: 'list@example.com' });
  const two = await logIn(edge, { email: 'list@example.com' });
  const list = async (token: string) => {
    const body = (await (await edge.call('/api/v1/auth/sessions', { token })).json()) as {
      sessions: { id: string; current: boolean; created_at: string; expires_at: string }[];
    };
    return body.sessions;
  };
  const sessions = await list(two.access_token);
  expect(sessions.map(({ current }) => current)).toEqual([true, false]);
  expect(Date.parse(sessions[0]?.expires_at ?? '')).toBeGreaterThan(Date.parse(sessions[0]?.created_at ?? ''));

  const path = `/api/v1/auth/sessions/${sessions[1]?.id}`;
  const stranger = await logIn(edge, { email: 'stranger@example.com' });
  for (const wrong of [path, '/api/v1/auth/sessions/no-uuid']) {
    const refused = await edge.call(wrong, { method: 'DELETE', token: stranger.access_token });
    expect(await failure(refused)).toMatchObject({ status: 404, code: 'session_not_found' });
  }
  expect(await statusWith(edge, one.access_token)).toBe(200);
  expect((await edge.call(path, { method: 'DELETE', token: two.access_token })).status).toBe(204);
  expect(await statusWith(edge, one.access_token)).toBe(401);
  expect((await refresh(edge, one.refresh_token)).status).toBe(400);
  expect(await list(two.access_token)).toHaveLength(1);
});

test.each(['access_token', 'refresh_token'] as const)('revoking the %s ends the session', async (kind) => {
  const tokens = await logIn(edge);
  const revoke = (token: string) => edge.call('/api/v1/auth/revoke', { method: 'POST', json: { token } });
  expect((await revoke(tokens[kind])).status).toBe(204);
  expect(await statusWith(edge, tokens.access_token)).toBe(401);
  expect((await refresh(edge, tokens.refresh_token)).status).toBe(400);
  // Again, and a token that nobody knows: the answer does not tell.
  expect((await revoke(tokens[kind])).status).toBe(204);
  expect((await revoke('made-up')).status).toBe(204);
});

test('no refresh token is kept or logged as it is', async () => {
  const { refresh_token: token } = await logIn(edge);
  const { refresh_token: next } = await refreshed(token);
  const { rows } = await edge.store.pool.query('select * from refresh_tokens');
  for (const secret of [token, next]) {
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(edge.logged.join('')).not.toContain(secret);
  }
});
