import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createManagementApi } from '../src/api.ts';
import { openStore, type Store } from '../src/store/database.ts';
import { createEventFeed } from '../src/tenants/event-feed.ts';
import { appendEvent } from '../src/tenants/events.ts';
import { createAccessTokens } from '../src/tokens/access-tokens.ts';
import { baseUrl, type Edge, startEdge } from './edge.ts';

// Answers that are kept: two control planes, each with its own connections, over one Postgres.

type App = Edge['app'];
type TenantAnswer = { readonly data: { readonly name: string } };

let edge: Edge;
let replica: { readonly app: App; readonly store: Store; readonly close: () => Promise<void> };
let outsider: Client;
let token: string;
let tenantId: string;

beforeAll(async () => {
  edge = await startEdge();
  replica = await startReplica();
  outsider = new Client({ connectionString: edge.store.url, application_name: 'outsider' });
  await outsider.connect();
  token = (await edge.login('owner@example.com')).token;
  tenantId = (await edge.buy(token, 'kept')).tenantId;
  await edge.store.pool.query(`update tenants set state = 'running'`);
});
afterAll(async () => {
  await outsider?.end();
  await replica?.close();
  await edge?.stop();
});

async function startReplica() {
  const store = await openStore(edge.store.url);
  const feed = await createEventFeed(store);
  const tokens = await createAccessTokens({ store, vault: edge.vault, issuer: baseUrl });
  const app = createManagementApi({ ...edge.ports, store, feed, tokens }, edge.options);
  return {
    app,
    store,
    close: async () => {
      await feed.close();
      await store.close();
    },
  };
}

const ask = (path: string, { app = edge.app, bearer = token }: { app?: App; bearer?: string } = {}) =>
  app.fetch(new Request(`${baseUrl}/api/v1/tenants${path}`, { headers: { authorization: `Bearer ${bearer}` } }));

/** A change that succeeds, as its answer tells it. */
async function change<T>(path: string, method: string, json?: object): Promise<T> {
  const response = await edge.call(`/api/v1/${path}`, { method, token, ...(json === undefined ? {} : { json }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} is answered with ${text}`);
  const body = (text === '' ? {} : JSON.parse(text)) as { data?: T };
  return body.data ?? (body as T);
}

async function read<T>(path: string, options: Parameters<typeof ask>[1] = {}): Promise<T> {
  const response = await ask(path, options);
  if (response.status !== 200) throw new Error(`${path} is answered with ${response.status}`);
  return (await response.json()) as T;
}

const names = async (app?: App): Promise<string[]> =>
  (await read<{ data: { name: string }[] }>('', app === undefined ? {} : { app })).data.map(({ name }) => name);
const stateOf = async (app?: App): Promise<string> =>
  (await read<{ data: { status: string } }>(`/${tenantId}/status`, app === undefined ? {} : { app })).data.status;

/** How often a store was asked while something was done. */
async function queriesOf(store: Store, work: () => unknown): Promise<number> {
  let count = 0;
  const counted = (): void => void (count += 1);
  store.pool.on('acquire', counted);
  await work();
  store.pool.off('acquire', counted);
  return count;
}

const askAll = async (app: App): Promise<void> => {
  for (const path of ['', `/${tenantId}`, `/${tenantId}/status`]) await read(path, { app });
};

/** Until a replica answers from memory: what was told of before has come by then. */
async function warm(app: App, store: Store): Promise<void> {
  await expect.poll(async () => await queriesOf(store, () => askAll(app))).toBe(0);
}

test('what was asked before costs no look at the database, and is answered alike in every part', async () => {
  await warm(edge.app, edge.store);
  for (const path of ['', `/${tenantId}`, `/${tenantId}/status`]) {
    edge.logged.length = 0;
    const kept = await ask(path);
    // A query is none of the questions that are kept.
    const made = await ask(`${path}?`);
    expect(await kept.text()).toBe(await made.text());
    const headersOf = (response: Response) => ({ ...Object.fromEntries(response.headers), 'x-request-id': '' });
    expect(headersOf(kept)).toEqual(headersOf(made));
    expect(kept.headers.get('x-request-id')).toMatch(/^req_/);
    const lines = edge.logged.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ requestId }) => requestId)).toEqual(
      [kept, made].map(({ headers }) => headers.get('x-request-id')),
    );
    const [first, second] = lines.map(({ msg, method, route, status, userId }) => [msg, method, route, status, userId]);
    expect(first).toEqual(second);
  }
  const tagged = await ask(`/${tenantId}`);
  expect(tagged.headers.get('etag')).toBe('"1"');
});

test('whoever changes something sees it at once, whatever changed it', async () => {
  for (let round = 0; round < 20; round += 1) {
    await askAll(edge.app);
    const name = `renamed-${round}`;
    await change(`tenants/${tenantId}`, 'PATCH', { name });
    expect(await names()).toEqual([name]);
    // As a step of a workflow does it.
    const state = round % 2 === 0 ? 'running' : 'awaiting_deploy';
    await edge.store.db.transaction((tx) => appendEvent(tx, { tenantId, eventType: 'tenant_ready', state }));
    expect(await stateOf()).toBe(state);
    // As nobody does it.
    await edge.store.pool.query('update tenants set name = $1 where id = $2', [`by-hand-${round}`, tenantId]);
    expect(await names()).toEqual([`by-hand-${round}`]);
  }
});

test('a secret that shows in an answer counts as a change of its tenant', async () => {
  await warm(edge.app, edge.store);
  await change(`tenants/${tenantId}/secrets`, 'PUT', { secrets: { A: '1' } });
  expect(await queriesOf(edge.store, () => read(`/${tenantId}`))).toBeGreaterThan(0);
});

test('a change that comes between the read and the answer is in the next answer', async () => {
  await warm(edge.app, edge.store);
  const { billing } = edge.ports;
  const gates: { readonly reached: () => void; readonly open: Promise<void> }[] = [];
  const app = createManagementApi(
    {
      ...edge.ports,
      billing: {
        ...billing,
        listPlans: async () => {
          const gate = gates.shift();
          gate?.reached();
          await gate?.open;
          return await billing.listPlans();
        },
      },
    },
    edge.options,
  );
  let reached = (): void => {};
  let goOn = (): void => {};
  const waiting = new Promise<void>((done) => {
    reached = done;
  });
  const open = new Promise<void>((done) => {
    goOn = done;
  });
  gates.push({ reached, open });
  const before = read<TenantAnswer>(`/${tenantId}`, { app });
  // The tenant has been read, the answer is not made yet.
  await waiting;
  await edge.store.pool.query(`update tenants set name = 'meanwhile' where id = $1`, [tenantId]);
  goOn();
  expect((await before).data.name).not.toBe('meanwhile');
  expect((await read<TenantAnswer>(`/${tenantId}`, { app })).data.name).toBe('meanwhile');
});

test('another replica shows a change when it is told of it', async () => {
  for (let round = 0; round < 5; round += 1) {
    await warm(replica.app, replica.store);
    const name = `elsewhere-${round}`;
    await change(`tenants/${tenantId}`, 'PATCH', { name });
    await expect.poll(() => names(replica.app)).toEqual([name]);
    // Never back again.
    for (let again = 0; again < 20; again += 1) expect(await names(replica.app)).toEqual([name]);
  }
});

test('what was changed while nobody listened is seen when somebody listens again', async () => {
  await warm(replica.app, replica.store);
  expect(replica.store.notices.complete).toBe(true);
  let lost = 0;
  const unsubscribe = replica.store.notices.subscribe((notice) => void (lost += notice === undefined ? 1 : 0));
  await outsider.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sp-management-api%'`,
  );
  await outsider.query(`update tenants set name = 'unheard' where id = $1`, [tenantId]);
  await expect.poll(() => lost > 0 && replica.store.notices.complete).toBe(true);
  unsubscribe();
  expect(await names(replica.app)).toEqual(['unheard']);
  await warm(replica.app, replica.store);
  await outsider.query(`update tenants set name = 'heard' where id = $1`, [tenantId]);
  await expect.poll(() => names(replica.app)).toEqual(['heard']);
});

test('without a connection that listens every answer is asked for', async () => {
  const deaf = await startReplica();
  await warm(deaf.app, deaf.store);
  // Closed, it is not there; the connections of the pool may hear something, and not all.
  const feed = await createEventFeed(deaf.store);
  await feed.close();
  await warm(deaf.app, deaf.store);
  await deaf.close();
  const alone = await openStore(edge.store.url);
  const tokens = await createAccessTokens({ store: alone, vault: edge.vault, issuer: baseUrl });
  const app = createManagementApi({ ...edge.ports, store: alone, tokens }, edge.options);
  await askAll(app);
  expect(await queriesOf(alone, () => askAll(app))).toBeGreaterThanOrEqual(3);
  await alone.close();
});

test('a token shows only what it is for, also after the owner has asked', async () => {
  const second = (await edge.buy(token, 'second')).tenantId;
  const made = async (json: object): Promise<string> =>
    (await change<{ token: string }>('auth/api-tokens', 'POST', json)).token;
  const narrow = await made({ name: 'CI', scopes: ['tenants:read'], tenant_id: second });
  const blind = await made({ name: 'CI', scopes: ['account'] });
  const stranger = (await edge.login('stranger@example.com')).token;
  for (let round = 0; round < 3; round += 1) {
    expect((await names()).length).toBe(2);
    expect((await read<{ data: { name: string }[] }>('', { bearer: narrow })).data.map(({ name }) => name)).toEqual([
      'second',
    ]);
    expect((await ask(`/${second}/status`, { bearer: narrow })).status).toBe(200);
    for (const path of [`/${tenantId}`, `/${tenantId}/status`]) {
      expect((await ask(path)).status).toBe(200);
      expect((await ask(path, { bearer: narrow })).status).toBe(404);
      expect((await ask(path, { bearer: stranger })).status).toBe(404);
      expect((await ask(path, { bearer: blind })).status).toBe(403);
      expect((await ask(path, { bearer: 'nobody' })).status).toBe(401);
    }
  }
});

test('a limit counts what is answered from memory, too', async () => {
  const limited = createManagementApi(edge.ports, {
    ...edge.options,
    rateLimits: { user: { points: 4, seconds: 600 } },
  });
  const statuses: (number | string | null)[][] = [];
  for (let count = 0; count < 6; count += 1) {
    const { status, headers } = await ask('', { app: limited });
    statuses.push([status, headers.get('ratelimit')?.split(';')[1] ?? null]);
  }
  expect(statuses).toEqual([
    [200, 'r=3'],
    [200, 'r=2'],
    [200, 'r=1'],
    [200, 'r=0'],
    [429, 'r=0'],
    [429, 'r=0'],
  ]);
});

test('a login or a token that was ended elsewhere is out as soon as it is told', async () => {
  const left = (await edge.login('owner@example.com')).token;
  const wanted = { name: 'CI', scopes: ['tenants:read'] };
  const { id, token: apiToken } = await change<{ id: string; token: string }>('auth/api-tokens', 'POST', wanted);
  const statusAt = async (app: App, bearer: string): Promise<number> => (await ask('', { app, bearer })).status;
  for (const bearer of [left, apiToken]) {
    await expect
      .poll(
        async () => await queriesOf(replica.store, async () => expect(await statusAt(replica.app, bearer)).toBe(200)),
      )
      .toBe(0);
  }
  await edge.call('/api/v1/auth/revoke', { method: 'POST', json: { token: left } });
  expect(await statusAt(edge.app, left)).toBe(401);
  await expect.poll(() => statusAt(replica.app, left)).toBe(401);
  await change(`auth/api-tokens/${id}`, 'DELETE');
  expect(await statusAt(edge.app, apiToken)).toBe(401);
  await expect.poll(() => statusAt(replica.app, apiToken)).toBe(401);
  // Ended by nobody but the database's administrator.
  const ended = (await edge.login('owner@example.com')).token;
  expect(await statusAt(edge.app, ended)).toBe(200);
  await expect.poll(async () => await queriesOf(edge.store, () => ask('', { bearer: ended }))).toBe(0);
  await edge.store.pool.query('update login_sessions set revoked_at = now() where revoked_at is null');
  expect(await statusAt(edge.app, ended)).toBe(401);
});
