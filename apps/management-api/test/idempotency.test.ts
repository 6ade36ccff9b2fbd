import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { presenceLockSpace } from '../src/http/presence.ts';
import type { OperationRow } from '../src/tenants/operations.ts';
import { type Edge, failure, startEdge } from './edge.ts';

let edge: Edge;
let owner: { token: string; userId: string };
beforeAll(async () => {
  edge = await startEdge();
  owner = await edge.login('owner@example.com');
});
afterAll(() => edge.stop());

const checkout = { price_id: 'pri_sandbox_starter', region: 'iad' };

function buy(key: string, options: { json?: object; token?: string } = {}): Promise<Response> {
  const { json = checkout, token = owner.token } = options;
  return edge.call('/api/v1/checkout', { method: 'POST', token, json, headers: { 'idempotency-key': key } });
}

async function sessions(): Promise<number> {
  const { rows } = await edge.store.pool.query<{ count: number }>('select count(*)::int from checkout_sessions');
  return rows[0]?.count ?? 0;
}

test('the same request again gets the same answer, and happens once', async () => {
  const before = await sessions();
  const first = await buy('one');
  const second = await buy('one');
  expect(await second.json()).toEqual(await first.json());
  expect([first.headers.get('idempotency-replayed'), second.headers.get('idempotency-replayed')]).toEqual([
    null,
    'true',
  ]);
  expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
  expect(await sessions()).toBe(before + 1);
});

test('ten at once happen once: the others are told to come again', async () => {
  const before = await sessions();
  const answers = await Promise.all(Array.from({ length: 10 }, () => buy('ten')));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([]);
  expect(statuses).toContain(200);
  const refused = answers.find(({ status }) => status === 409);
  if (refused !== undefined) {
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await failure(refused)).toMatchObject({ code: 'idempotency_key_in_use' });
  }
  expect((await buy('ten')).status).toBe(200);
  expect(await sessions()).toBe(before + 1);
});

test('a key is for one request: another body or another address is refused', async () => {
  await buy('fixed');
  const other = await buy('fixed', { json: { ...checkout, region: 'fra' } });
  expect(await failure(other)).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  const elsewhere = await edge.call('/api/v1/activity', {
    method: 'POST',
    token: owner.token,
    json: { event: 'cloud_login', timestamp: '2026-01-02T03:04:05Z', data: { user_id: 'u' } },
    headers: { 'idempotency-key': 'fixed' },
  });
  expect(await failure(elsewhere)).toMatchObject({ status: 422 });
});

test('a key is one person’s: another person’s is another', async () => {
  const stranger = await edge.login('stranger@example.com');
  const mine = (await (await buy('shared')).json()) as object;
  const theirs = await buy('shared', { token: stranger.token });
  expect(theirs.status).toBe(200);
  expect(await theirs.json()).not.toEqual(mine);
});

test('a request that failed had no effect, so its key is free', async () => {
  expect((await buy('again', { json: { ...checkout, price_id: 'unknown' } })).status).toBe(400);
  expect((await buy('again')).status).toBe(200);
});

test('a request that failed after what it did finds it again, and one that was refused begins anew', async () => {
  const { tenantId } = await edge.buy(owner.token, 'fails');
  await edge.store.pool.query(`update tenants set state = 'running' where id = $1`, [tenantId]);
  const remove = () =>
    edge.call(`/api/v1/tenants/${tenantId}`, {
      method: 'DELETE',
      token: owner.token,
      headers: { 'idempotency-key': 'fails' },
    });
  const opened = async () =>
    (await edge.store.pool.query('select id from tenant_operations where tenant_id = $1', [tenantId])).rows;
  const { waitForOperation } = edge.ports.workflows;
  const answerWith = (status: 'failed' | 'done' | undefined) => {
    edge.ports.workflows.waitForOperation = async (id) => {
      if (status === undefined) throw new Error('the database went away');
      const failure = status === 'failed' ? 'no' : null;
      const close = 'update tenant_operations set status = $2, failure = $3 where id = $1 returning *';
      return (await edge.store.pool.query<OperationRow>(close, [id, status, failure])).rows[0] as OperationRow;
    };
  };
  answerWith(undefined);
  expect((await remove()).status).toBe(500);
  expect((await remove()).status).toBe(500);
  expect(await opened()).toHaveLength(1);
  answerWith('failed');
  expect(await failure(await remove())).toMatchObject({ status: 409, code: 'operation_failed' });
  expect(await opened()).toHaveLength(1);
  answerWith('done');
  expect((await remove()).status).toBe(204);
  expect(await opened()).toHaveLength(2);
  edge.ports.workflows.waitForOperation = waitForOperation;
});

test('after a day, and after a process that died, a key is new', async () => {
  const first = (await (await buy('old')).json()) as object;
  await edge.store.pool.query(`update idempotency_keys set created_at = now() - interval '25 hours' where key = 'old'`);
  expect(await (await buy('old')).json()).not.toEqual(first);
  await edge.store.pool.query(
    `update idempotency_keys set status = 'running', sealed_answer = null, holder = null, created_at = now() - interval '1 minute' where key = 'old'`,
  );
  expect((await buy('old')).status).toBe(409);
  await edge.store.pool.query(`update idempotency_keys set created_at = now() - interval '1 hour' where key = 'old'`);
  expect((await buy('old')).status).toBe(200);
});

/** Another process that is known by this number for as long as it lives. */
async function startHolder(holder: number) {
  const script = `
    import pg from 'pg';
    const client = new pg.Client({ connectionString: process.env.TEST_URL });
    await client.connect();
    await client.query('select pg_advisory_lock(${presenceLockSpace}, ${holder})');
    console.log('ready');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    // Where `pg` is found.
    cwd: import.meta.dirname,
    env: { ...process.env, TEST_URL: edge.store.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('the key of a process that was killed is free at once, that of one that lives is not', async () => {
  await buy('held');
  const before = await sessions();
  const child = await startHolder(4711);
  await edge.store.pool.query(
    `update idempotency_keys set status = 'running', sealed_answer = null, holder = 4711 where key = 'held'`,
  );
  expect(await failure(await buy('held'))).toMatchObject({ status: 409, code: 'idempotency_key_in_use' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  // The database hears of it from the operating system.
  await expect.poll(async () => (await buy('held')).status).toBe(200);
  expect((await buy('held')).headers.get('idempotency-replayed')).toBe('true');
  expect(await sessions()).toBe(before + 1);
});

test('of many that find a key without its process one takes it', async () => {
  await buy('left');
  const before = await sessions();
  await edge.store.pool.query(
    `update idempotency_keys set status = 'running', sealed_answer = null, holder = 4712 where key = 'left'`,
  );
  const statuses = (await Promise.all(Array.from({ length: 10 }, () => buy('left')))).map(({ status }) => status);
  expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([]);
  expect(statuses).toContain(200);
  expect(await sessions()).toBe(before + 1);
});

test('answers are kept sealed, and a key that is no key is refused', async () => {
  const { checkout_url: url } = (await (await buy('sealed')).json()) as { checkout_url: string };
  const { rows } = await edge.store.pool.query<{ sealed_answer: Buffer }>('select sealed_answer from idempotency_keys');
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(row.sealed_answer.includes(url)).toBe(false);
  for (const key of ['', 'a b', 'x'.repeat(256)]) {
    expect(await failure(await buy(key)), key).toMatchObject({ status: 400, code: 'invalid_request' });
  }
});
