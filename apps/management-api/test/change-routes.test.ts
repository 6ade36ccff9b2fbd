import { afterAll, beforeAll, expect, test } from 'vitest';
import { setSecrets } from '../src/tenants/secrets.ts';
import { type Edge, failure, startEdge } from './edge.ts';

let edge: Edge;
let owner: { token: string; userId: string };
beforeAll(async () => {
  edge = await startEdge();
  owner = await edge.login('owner@example.com');
});
afterAll(() => edge.stop());

async function newTenant(name: string, state = 'awaiting_deploy'): Promise<{ id: string; path: string }> {
  const { tenantId: id } = await edge.buy(owner.token, name);
  await edge.store.pool.query('update tenants set state = $2 where id = $1', [id, state]);
  return { id, path: `/api/v1/tenants/${id}` };
}

const send = (method: string, path: string, json?: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  edge.call(path, { method, token: owner.token, headers, ...(json === undefined ? {} : { json }) });

test('a change is made to the version that was read, and to no other', async () => {
  const { path } = await newTenant('versions');
  const read = await send('GET', path);
  expect(read.headers.get('etag')).toBe('"1"');
  expect(await read.json()).toMatchObject({ data: { version: 1 } });
  const changed = await send('PATCH', path, { name: 'renamed', memory_mb: 256 }, { 'if-match': '"1"' });
  expect(changed.headers.get('etag')).toBe('"2"');
  expect(await changed.json()).toMatchObject({ data: { name: 'renamed', plan: { memory_mb: 256 }, version: 2 } });

  const late = await send('PATCH', path, { memory_mb: 512 }, { 'if-match': '"1"' });
  expect(late.headers.get('etag')).toBe('"2"');
  expect(await failure(late)).toMatchObject({ status: 412, code: 'precondition_failed' });
  expect(await failure(await send('PATCH', path, {}, { 'if-match': 'W/"2"' }))).toMatchObject({ status: 412 });
  expect(await failure(await send('PATCH', path, {}, { 'if-match': '2' }))).toMatchObject({ status: 400 });
  for (const tags of ['*', '"1", "2"']) {
    // Nothing changes, so the version stays.
    expect((await send('PATCH', path, { memory_mb: 256 }, { 'if-match': tags })).headers.get('etag')).toBe('"2"');
  }
});

test('two changes at once to the same version: one is made', async () => {
  const { path } = await newTenant('twice');
  const both = await Promise.all(
    [256, 384].map(async (memory_mb) => (await send('PATCH', path, { memory_mb }, { 'if-match': '"1"' })).status),
  );
  expect(both.toSorted((a, b) => a - b)).toEqual([200, 412]);
});

test('refuses a name that is taken, more memory than the plan has, and members that it does not know', async () => {
  const { path } = await newTenant('first-name');
  await newTenant('second-name');
  const patch = async (json: unknown) => failure(await send('PATCH', path, json));
  expect(await patch({ name: 'second-name' })).toMatchObject({ status: 409, code: 'tenant_name_taken' });
  expect(await patch({ memory_mb: 4096 })).toMatchObject({ status: 400, code: 'memory_exceeds_plan' });
  expect(await patch({ name: 'No!' })).toMatchObject({ status: 400, code: 'invalid_request' });
  expect(await patch({ state: 'running' })).toMatchObject({ status: 400, code: 'invalid_request' });
  const racing = await Promise.all(
    [path, (await newTenant('third-name')).path].map(async (one) => (await send('PATCH', one, { name: 'won' })).status),
  );
  expect(racing.toSorted((a, b) => a - b)).toEqual([200, 409]);
});

test('one thing at a time is done to a tenant, and the next one is told what and since when', async () => {
  const { id, path } = await newTenant('busy', 'running');
  expect(await (await send('POST', `${path}/restart`)).json()).toEqual({ status: 'restarting' });
  const attempts: [string, string, unknown?][] = [
    ['POST', '/restart'],
    ['DELETE', ''],
    ['PATCH', '', { memory_mb: 256 }],
    ['PUT', '/external-db-access', { enabled: true }],
    ['POST', '/custom-domain', { domain: 'busy.example.com' }],
    ['POST', '/deploy', { image: `127.0.0.1:7300/systemprompt-images:tenant-${id}` }],
  ];
  for (const [method, rest, json] of attempts) {
    const refused = await failure(await send(method, path + rest, json));
    expect(refused, `${method} ${rest}`).toMatchObject({ status: 409, code: 'tenant_busy' });
    expect(refused.message).toMatch(/restart since \d{4}-\d\d-\d\dT/);
  }
});

test('what a tenant’s state does not allow is a conflict', async () => {
  const { path } = await newTenant('conflicts');
  for (const rest of ['/restart', '/retry-provision', '/rotate-credentials', '/rotate-sync-token']) {
    expect(await failure(await send('POST', path + rest)), rest).toMatchObject({
      status: 409,
      code: 'tenant_state_conflict',
    });
  }
  await edge.store.pool.query(`update tenants set subscription_id = null where name = 'conflicts'`);
  for (const rest of ['cancel', 'portal-link']) {
    expect(await failure(await send('POST', `${path}/subscription/${rest}`))).toMatchObject({
      status: 409,
      code: 'no_subscription',
    });
  }
});

test('a tenant that could not be made is tried again', async () => {
  const { id, path } = await newTenant('retried', 'provision_failed');
  edge.provisioned.length = 0;
  expect(await (await send('POST', `${path}/retry-provision`)).json()).toEqual({ status: 'provisioning' });
  expect(edge.provisioned).toEqual([id]);
  expect(await (await send('GET', `${path}/status`)).json()).toMatchObject({ data: { status: 'provisioning' } });
  expect(await failure(await send('DELETE', path))).toMatchObject({ status: 409, code: 'tenant_busy' });
});

test('what waits for a provider that is away gives way to a deletion', async () => {
  const { id, path } = await newTenant('waits', 'provisioning');
  const { cancelWaiting } = edge.ports.workflows;
  const asked: string[] = [];
  edge.ports.workflows.cancelWaiting = async (tenantId) => {
    asked.push(tenantId);
    await edge.store.pool.query(`update tenants set state = 'provision_failed' where id = $1`, [tenantId]);
    return true;
  };
  edge.operations.length = 0;
  expect((await send('DELETE', path)).status).toBe(204);
  expect([asked, edge.operations.length]).toEqual([[id], 1]);
  // A second one joins the first, and cancels nothing.
  expect((await send('DELETE', path)).status).toBe(204);
  expect([asked, edge.operations.length]).toEqual([[id], 1]);
  edge.ports.workflows.cancelWaiting = cancelWaiting;
});

test('cancelling sends a signed webhook, and answers with the null that old clients read', async () => {
  const { path } = await newTenant('cancels');
  edge.delivered.length = 0;
  const response = await send('POST', `${path}/subscription/cancel`);
  expect([response.status, await response.text()]).toEqual([200, 'null']);
  const webhook = edge.delivered[0];
  expect(webhook?.headers.get('paddle-signature')).toMatch(/^ts=\d+;h1=/);
  expect(await webhook?.json()).toMatchObject({ event_type: 'subscription.canceled', data: { status: 'canceled' } });
  expect(await (await send('GET', path)).json()).toMatchObject({ data: { subscription_status: 'canceled' } });
  await send('POST', `${path}/subscription/cancel`);
  expect(edge.delivered.length).toBe(1);
});

test('a domain is pending until its record is found, and then one tenant’s only', async () => {
  const { path } = await newTenant('shop');
  const { path: rival } = await newTenant('rival');
  expect(await failure(await send('GET', `${path}/custom-domain`))).toMatchObject({
    status: 404,
    code: 'custom_domain_not_found',
  });
  type Answer = { data: { dns_target: string; verified: boolean } };
  const { data } = (await (
    await send('POST', `${path}/custom-domain`, { domain: 'Shop.Example.com' })
  ).json()) as Answer;
  expect(data).toMatchObject({
    domain: 'shop.example.com',
    status: 'pending',
    verified: false,
    dns_instructions: { record_type: 'CNAME', host: 'shop.example.com', value: data.dns_target, ttl: 3600 },
  });
  expect(data.dns_target).toMatch(/^shop-[0-9a-f]{6}\.localhost$/);
  // Wanting a name keeps nobody from it.
  expect((await send('POST', `${rival}/custom-domain`, { domain: 'shop.example.com' })).status).toBe(200);
  edge.dnsRecords.set('shop.example.com', [`${data.dns_target.toUpperCase()}.`]);
  const found = (await (await send('GET', `${path}/custom-domain`)).json()) as Answer;
  expect(found.data).toMatchObject({ status: 'active', verified: true, verified_at: expect.any(String) as string });
  expect(await failure(await send('POST', `${rival}/custom-domain`, { domain: 'shop.example.com' }))).toMatchObject({
    status: 409,
    code: 'domain_taken',
  });
  expect(await failure(await send('POST', `${rival}/custom-domain`, { domain: data.dns_target }))).toMatchObject({
    code: 'reserved_domain',
  });
  for (const domain of [
    '127.0.0.1',
    'no-dot',
    '-a.example',
    'a..example',
    `${'a'.repeat(64)}.example`,
    'a.example/x',
  ]) {
    expect(await failure(await send('POST', `${rival}/custom-domain`, { domain })), domain).toMatchObject({
      status: 400,
    });
  }
  for (const _ of [1, 2]) expect((await send('DELETE', `${path}/custom-domain`)).status).toBe(204);
  expect((await send('POST', `${rival}/custom-domain`, { domain: 'shop.example.com' })).status).toBe(200);
});

test('an activity is kept for who the token says, whatever the body says', async () => {
  const json = { event: 'cloud_logout', timestamp: '2026-01-02T03:04:05.123456789+00:00', data: { user_id: 'a@b.c' } };
  expect((await send('POST', '/api/v1/activity', json)).status).toBe(204);
  const { rows } = await edge.store.pool.query('select user_id, event, occurred_at from activities');
  expect(rows).toEqual([
    { user_id: owner.userId, event: 'cloud_logout', occurred_at: new Date('2026-01-02T03:04:05.123Z') },
  ]);
  expect((await send('POST', '/api/v1/activity', { ...json, event: 'other' })).status).toBe(400);
});

test('pages of other origins may call with a token of their own, and read what they need of the answer', async () => {
  const origin = 'https://dashboard.example';
  const preflight = await edge.call('/api/v1/tenants', {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization' },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
  expect(preflight.headers.get('access-control-allow-headers')).toMatch(/authorization.*idempotency-key.*if-match/);
  const answer = await send('GET', '/api/v1/tenants', undefined, { origin });
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  expect(answer.headers.get('access-control-expose-headers')).toContain('x-request-id');
  const refused = await edge.call('/api/v1/tenants', { headers: { origin } });
  expect(refused.headers.get('access-control-allow-origin')).toBe('*');
});

test('the masked address never shows the password, the unmasked one only while access is on', async () => {
  const { id, path } = await newTenant('masked');
  const url = 'postgresql://app:planted-password@127.0.0.1:5432/db';
  const set = async (enabled: boolean) => {
    const answer = (await (await send('PUT', `${path}/external-db-access`, { enabled })).json()) as {
      data: { database_url: string };
    };
    expect(answer.data).toMatchObject({ tenant_id: id, external_db_access: enabled });
    return new URL(answer.data.database_url);
  };
  // Before it is made, there is nothing to show.
  expect((await set(true)).password).toBe('***');
  const secrets = { EXTERNAL_DATABASE_URL: url, DATABASE_PASSWORD: 'planted-password' };
  await setSecrets(edge, { tenantId: id, kind: 'platform', secrets });
  const { username, password } = await set(true);
  expect(username).toMatch(/_app_ext$/);
  // The machine's own is shown nowhere.
  expect(password).toMatch(/^[\w-]{32}$/);
  expect(JSON.stringify(await (await send('GET', path)).json())).not.toContain('planted-password');
  expect((await set(false)).password).toBe('***');
});
