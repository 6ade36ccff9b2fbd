import { afterAll, beforeAll, expect, test } from 'vitest';
import { isApiToken, makeApiToken } from '../src/tokens/api-token-format.ts';
import { type Edge, failure, startEdge } from './edge.ts';

interface Made {
  readonly id: string;
  readonly token: string;
  readonly scopes: string[];
  readonly tenant_id: string | undefined;
  readonly expires_at: string;
  readonly last_used_at: string | undefined;
}

let edge: Edge;
let owner: { token: string; userId: string };
let tenantId: string;
beforeAll(async () => {
  edge = await startEdge();
  owner = await edge.login('owner@example.com');
  tenantId = (await edge.buy(owner.token, 'mine')).tenantId;
});
afterAll(() => edge.stop());

const path = '/api/v1/auth/api-tokens';

function create(json: object, token = owner.token): Promise<Response> {
  return edge.call(path, { method: 'POST', token, json: { name: 'CI', scopes: ['tenants:read'], ...json } });
}

async function made(json: object = {}, token = owner.token): Promise<Made> {
  return ((await (await create(json, token)).json()) as { data: Made }).data;
}

async function listed(): Promise<Made[]> {
  return ((await (await edge.call(path, { token: owner.token })).json()) as { data: Made[] }).data;
}

const daysUntil = (time: string): number => Math.round((Date.parse(time) - Date.now()) / 86_400_000);

test('a token has a prefix, no less than 160 bits, and a checksum that a changed one does not have', () => {
  const token = makeApiToken();
  expect(token).toMatch(/^spc_[0-9A-Za-z]{46}$/);
  expect(isApiToken(token)).toBe(true);
  const changed = `${token.slice(0, 10)}${token[10] === 'A' ? 'B' : 'A'}${token.slice(11)}`;
  expect([changed, token.slice(1), `${token}0`, 'spc_', ''].map(isApiToken)).toEqual(Array(5).fill(false));
  expect(makeApiToken()).not.toBe(token);
});

test('is shown once, kept as a hash, good for ninety days unless said otherwise, and shows when it was used', async () => {
  const { token, id, expires_at: expiresAt, ...rest } = await made({ scopes: ['tenants:read', 'deploy', 'deploy'] });
  expect(rest).toMatchObject({ name: 'CI', scopes: ['tenants:read', 'deploy'] });
  expect(daysUntil(expiresAt)).toBe(90);
  expect(daysUntil((await made({ expires_in_days: 365 })).expires_at)).toBe(365);
  expect((await edge.call('/api/v1/tenants', { token })).status).toBe(200);
  const [, entry] = await listed();
  expect(entry).toMatchObject({ id, name: 'CI' });
  expect(Date.parse(entry?.last_used_at ?? '')).toBeGreaterThan(Date.now() - 60_000);
  expect(JSON.stringify(await listed())).not.toContain(token);
  const { rows } = await edge.store.pool.query('select * from api_tokens');
  expect(JSON.stringify(rows)).not.toContain(token);
});

test('stops working when it is revoked, and is nobody else’s to see or revoke', async () => {
  const { token, id } = await made();
  const stranger = await edge.login('stranger@example.com');
  expect((await edge.call('/api/v1/tenants', { token })).status).toBe(200);
  const remove = (as: string) => edge.call(`${path}/${id}`, { method: 'DELETE', token: as });
  expect(await failure(await remove(stranger.token))).toMatchObject({ status: 404, code: 'api_token_not_found' });
  expect(await (await edge.call(path, { token: stranger.token })).json()).toEqual({ data: [] });
  expect((await remove(owner.token)).status).toBe(204);
  expect((await edge.call('/api/v1/tenants', { token })).status).toBe(401);
  expect((await listed()).map((entry) => entry.id)).not.toContain(id);
  expect(await failure(await remove(owner.token))).toMatchObject({ code: 'api_token_not_found' });
});

test('is refused without an end, a scope or a name, and for what cannot be', async () => {
  for (const json of [
    { expires_in_days: 366 },
    { expires_in_days: 0 },
    { scopes: [] },
    { scopes: ['everything'] },
    { name: ' ' },
    { name: 'x'.repeat(101) },
    { scopes: ['account'], tenant_id: tenantId },
    { unknown: true },
  ]) {
    expect(await failure(await create(json)), JSON.stringify(json)).toMatchObject({ code: 'invalid_request' });
  }
  const stranger = await edge.login('stranger@example.com');
  const foreign = await create({ tenant_id: tenantId }, stranger.token);
  expect(await failure(foreign)).toMatchObject({ code: 'tenant_not_found' });
});

test('gives a token that it makes no more than it has itself', async () => {
  const parent = await made({ scopes: ['account', 'tenants:read'], expires_in_days: 10 });
  const wider = await create({ scopes: ['deploy'], expires_in_days: 1 }, parent.token);
  expect(await failure(wider)).toMatchObject({ status: 403, code: 'insufficient_scope' });
  expect(await failure(await create({ expires_in_days: 11 }, parent.token))).toMatchObject({ code: 'invalid_request' });
  expect((await made({ expires_in_days: 9 }, parent.token)).scopes).toEqual(['tenants:read']);
});

test('nobody has more than a hundred', async () => {
  const { token } = await edge.login('many@example.com');
  const answers = await Promise.all(Array.from({ length: 103 }, () => create({}, token)));
  expect(answers.filter(({ status }) => status === 200).length).toBe(100);
  const refused = answers.find(({ status }) => status !== 200) as Response;
  expect(await failure(refused)).toMatchObject({ status: 409, code: 'too_many_api_tokens' });
});
