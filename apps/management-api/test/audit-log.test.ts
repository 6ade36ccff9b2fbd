import { randomUUID } from 'node:crypto';
import { contract, type Endpoint } from '@sp/cloud-api/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuditLog } from '../src/audit/audit-log.ts';
import { verifyAuditLog } from '../src/audit/verify-audit-log.ts';
import { type Edge, failure, startEdge } from './edge.ts';

interface Entry {
  readonly sequence: number;
  readonly actor: Record<string, string | undefined>;
  readonly action: string;
  readonly outcome: string;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly request_id: string;
  readonly address: string | undefined;
  readonly hash: string;
}

let edge: Edge;
let owner: { token: string; userId: string };
let tenantId: string;
beforeAll(async () => {
  edge = await startEdge({ trustedProxyHeader: 'fly-client-ip' });
  owner = await edge.login('owner@example.com');
  tenantId = (await edge.buy(owner.token, 'mine')).tenantId;
});
afterAll(() => edge.stop());

async function entries(query = '', id = tenantId): Promise<Entry[]> {
  const response = await edge.call(`/api/v1/tenants/${id}/audit-log${query}`, { token: owner.token });
  return ((await response.json()) as { data: Entry[] }).data;
}

async function rowsOf(chain: string): Promise<{ action: string; outcome: string; code: string | null }[]> {
  const text = 'select action, outcome, code from audit_entries where chain = $1 order by sequence';
  return (await edge.store.pool.query(text, [chain])).rows as never;
}

const put = (json: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  edge.call(`/api/v1/tenants/${tenantId}/secrets`, { method: 'PUT', token: owner.token, json, headers });

test('says who did what from where, with what came of it, and shows it to the owner', async () => {
  const done = await put({ secrets: { API_KEY: 'canary-value' } }, { 'fly-client-ip': '203.0.113.9' });
  const refused = await put({ secrets: { FLY_APP_NAME: 'x' } });
  const [last, before] = await entries();
  expect(last).toMatchObject({
    action: 'secrets.set',
    outcome: 'refused',
    status: 400,
    code: 'system_managed_secret',
    request_id: refused.headers.get('x-request-id'),
  });
  expect(before).toMatchObject({
    actor: { kind: 'user', id: owner.userId, email: 'owner@example.com' },
    action: 'secrets.set',
    outcome: 'succeeded',
    status: 204,
    request_id: done.headers.get('x-request-id'),
    address: '203.0.113.9',
  });
  expect(before?.actor['session_id']).toMatch(/^[\da-f-]{36}$/);
  expect(JSON.stringify(await entries())).not.toContain('canary-value');
});

test('is read page by page, and only by the owner', async () => {
  for (const name of ['A', 'B', 'C']) await put({ secrets: { [name]: '1' } });
  const all = await entries();
  const [first, second] = await entries('?limit=2');
  expect([first?.sequence, second?.sequence]).toEqual(all.slice(0, 2).map(({ sequence }) => sequence));
  expect((await entries(`?limit=1&before=${second?.sequence}`))[0]?.sequence).toBe(all[2]?.sequence);
  const stranger = await edge.login('stranger@example.com');
  const foreign = await edge.call(`/api/v1/tenants/${tenantId}/audit-log`, { token: stranger.token });
  expect(await failure(foreign)).toMatchObject({ code: 'tenant_not_found' });
  expect((await edge.call(`/api/v1/tenants/${tenantId}/audit-log?limit=0`, { token: owner.token })).status).toBe(400);
});

test('of a deleted tenant is read by who owned it, and by nobody else', async () => {
  const { tenantId: id } = await edge.buy(owner.token, 'gone');
  const wanted = { method: 'PUT', token: owner.token, json: { secrets: { A: 'b' } } };
  await edge.call(`/api/v1/tenants/${id}/secrets`, wanted);
  await edge.store.pool.query(`update tenants set state = 'deleted' where id = $1`, [id]);
  expect((await edge.call(`/api/v1/tenants/${id}`, { token: owner.token })).status).toBe(404);
  expect((await entries('', id)).map(({ action }) => action)).toContain('secrets.set');
  const other = await edge.login('nosy@example.com');
  expect(await failure(await edge.call(`/api/v1/tenants/${id}/audit-log`, { token: other.token }))).toMatchObject({
    status: 404,
    code: 'tenant_not_found',
  });
});

test('names the API token that was used', async () => {
  const json = { name: 'CI', scopes: ['secrets:write'] };
  const made = await edge.call('/api/v1/auth/api-tokens', { method: 'POST', token: owner.token, json });
  const { data } = (await made.json()) as { data: { id: string; token: string } };
  await edge.call(`/api/v1/tenants/${tenantId}/secrets`, { method: 'PUT', token: data.token, json: { secrets: {} } });
  await edge.call(`/api/v1/tenants/${tenantId}/restart`, { method: 'POST', token: data.token });
  const [refused, done] = await entries();
  expect(refused).toMatchObject({ action: 'tenants.restart', outcome: 'refused', code: 'insufficient_scope' });
  expect(done).toMatchObject({ action: 'secrets.set', actor: { api_token_id: data.id } });
});

test('every endpoint that changes something leaves an entry, also where it is refused', async () => {
  const person = await edge.login('everything@example.com');
  const chain = `account:${person.userId}`;
  const wanted: string[] = ['auth.login'];
  for (const [resource, verbs] of Object.entries(contract)) {
    for (const [verb, { method, path, auth, idempotent }] of Object.entries<Endpoint>(verbs)) {
      if (auth === 'none' || (method === 'GET' && idempotent)) continue;
      // A tenant of somebody else: nothing of it may show in that one's log.
      const url = path.replace('{id}', tenantId).replaceAll(/\{\w+\}/g, 'x');
      await edge.call(url, { method, token: person.token, json: method === 'GET' ? undefined : {} });
      if (`${resource}.${verb}` !== 'releases.diffSecrets') wanted.push(`${resource}.${verb}`);
    }
  }
  expect((await rowsOf(chain)).map(({ action }) => action)).toEqual(wanted);
  const { rows } = await edge.store.pool.query('select 1 from audit_entries where chain = $1 and user_id = $2', [
    tenantId,
    person.userId,
  ]);
  expect(rows).toEqual([]);
});

test('an answer that was given before is no new entry', async () => {
  const count = (await entries()).length;
  for (let time = 0; time < 3; time += 1) await put({ secrets: { D: '1' } }, { 'idempotency-key': 'same' });
  expect((await entries()).length).toBe(count + 1);
  const { rows } = await edge.store.pool.query('select * from audit_intents');
  expect(rows).toEqual([]);
});

test('many at once make one chain', async () => {
  await Promise.all(Array.from({ length: 40 }, (_, index) => put({ secrets: { [`S${index}`]: '1' } })));
  expect(await verifyAuditLog(edge.store)).toMatchObject({ ok: true });
});

test('what a process that died was doing gets an entry that says so', async () => {
  const audit = createAuditLog(edge);
  await audit.begin({ actorKind: 'user', userId: owner.userId, action: 'tenants.delete', tenantId });
  expect((await entries())[0]?.action).not.toBe('tenants.delete');
  await edge.store.pool.query(`update audit_intents set created_at = now() - interval '1 hour'`);
  expect((await entries())[0]).toMatchObject({ action: 'tenants.delete', outcome: 'unknown' });
});

test('keeps what happens without a person', async () => {
  await createAuditLog(edge).append(tenantId, {
    actorKind: 'billing',
    action: 'subscription.canceled',
    outcome: 'succeeded',
  });
  expect((await entries())[0]).toMatchObject({ actor: { kind: 'billing' }, action: 'subscription.canceled' });
});

test('number and hash of each entry go to the log, where they stay what they were', async () => {
  const lines: unknown[] = [];
  const logger = { info: (facts: unknown) => void lines.push(facts) };
  const event = { actorKind: 'billing', action: 'subscription.resumed', outcome: 'succeeded' } as const;
  await createAuditLog({ store: edge.store, logger }).append(tenantId, event);
  const last = 'select chain, sequence::int, hash from audit_entries where chain = $1 order by sequence desc limit 1';
  expect(lines).toEqual((await edge.store.pool.query(last, [tenantId])).rows);
});

test('the database refuses to change, delete or empty it', async () => {
  for (const text of [
    `update audit_entries set action = 'x'`,
    'delete from audit_entries',
    'truncate audit_entries',
    'truncate audit_entries cascade',
  ]) {
    await expect(edge.store.pool.query(text), text).rejects.toThrow(/append-only/);
  }
});

test('a change behind the database’s back is found, at the first entry that is not as it was', async () => {
  const run = (text: string) =>
    edge.store.pool.query(
      `alter table audit_entries disable trigger all; ${text}; alter table audit_entries enable trigger all`,
    );
  expect(await verifyAuditLog(edge.store)).toMatchObject({ ok: true });
  const find = () => verifyAuditLog(edge.store, { chain: tenantId });

  await run(`update audit_entries set outcome = 'succeeded' where chain = '${tenantId}' and sequence = 2`);
  expect(await find()).toEqual({ ok: false, chain: tenantId, sequence: 2, reason: 'changed' });
  await run(`update audit_entries set outcome = 'refused' where chain = '${tenantId}' and sequence = 2`);
  expect(await find()).toMatchObject({ ok: true });

  await run(`delete from audit_entries where chain = '${tenantId}' and sequence = 3`);
  expect(await find()).toEqual({ ok: false, chain: tenantId, sequence: 4, reason: 'missing' });
  await run(`update audit_entries set sequence = sequence - 1 where chain = '${tenantId}' and sequence = 4`);
  expect(await find()).toEqual({ ok: false, chain: tenantId, sequence: 3, reason: 'changed' });
  expect(await verifyAuditLog(edge.store, { chain: randomUUID() })).toEqual({ ok: true, chains: 0, entries: 0 });
});

test('the line about an entry is logged when the entry is there, and never when it is not', async () => {
  const lines: unknown[] = [];
  const logger = { info: (line: unknown) => void lines.push(line) };
  const log = createAuditLog({ store: edge.store, logger });
  const begin = () => log.begin({ actorKind: 'user', userId: owner.userId, action: 'tests.logged' });
  const { pool } = edge.store;
  const [good, bad] = [await begin(), await begin()];
  await good.end({ outcome: 'succeeded' });
  expect(lines).toMatchObject([{ chain: expect.stringContaining(owner.userId), hash: expect.any(String) }]);
  await pool.query(`create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$`);
  await pool.query('create trigger refuse before delete on audit_intents execute function refuse()');
  try {
    await expect(bad.end({ outcome: 'succeeded' })).rejects.toThrow();
  } finally {
    await pool.query('drop function refuse cascade');
  }
  expect(lines).toHaveLength(1);
  await bad.drop();
});
