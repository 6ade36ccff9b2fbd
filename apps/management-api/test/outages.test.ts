import { DBOS } from '@dbos-inc/dbos-sdk';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createPostgresDatabases } from '../src/databases/postgres-databases.ts';
import type { Machines } from '../src/ports/machines.ts';
import { createRelease } from '../src/tenants/deploys.ts';
import { listEvents } from '../src/tenants/events.ts';
import { openOperation } from '../src/tenants/operations.ts';
import { startWorkflows, type Workflows } from '../src/workflows/engine.ts';
import { isWaiting } from '../src/workflows/outage.ts';
import { readOperation } from '../src/workflows/run-operation.ts';
import { insertPaidTenant, insertUser, readTenant, startTestDatabase, type TestDatabase } from './test-database.ts';

// A provider that is away for longer than a step is tried again, and what its tenants' owners learn of it.

let database: TestDatabase;
let workflows: Workflows | undefined;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterEach(async () => {
  await workflows?.close();
  workflows = undefined;
});
afterAll(() => database.close());

const away = () => Promise.reject(Object.assign(new Error('service unavailable'), { status: 503 }));
const waiting = 'Waiting for a provider that is away, and trying again: create machine app: service unavailable';
const back = 'The provider is back: the work goes on.';

async function start(createApp: Machines['createApp'], outagePausesMs: readonly number[]): Promise<Workflows> {
  const machines: Machines = {
    kind: 'fly',
    databaseHost: '127.0.0.1',
    createApp,
    start: away,
    keep: async () => {},
    find: async () => undefined,
    list: async () => [],
    listApps: async () => [],
    logs: async () => [],
    async *readLogs() {},
    stop: async () => {},
    removeApp: async () => {},
    close: async () => {},
  };
  workflows = await startWorkflows({
    store: database.store,
    vault: database.vault,
    databases: createPostgresDatabases({ adminUrl: database.adminUrl }),
    machines,
    billing: { cancelSubscription: async () => {} },
    images: { listTenants: async () => [], remove: async () => {} },
    logger: pino({ level: 'silent' }),
    appUrl: (hostname) => `http://${hostname}`,
    retryIntervalMs: 1,
    reconcileIntervalMs: 0,
    outagePausesMs,
  });
  return workflows;
}

async function newTenant(): Promise<string> {
  return (await insertPaidTenant(database.store, { ownerId: await insertUser(database.store) })).id;
}

async function messages(tenantId: string): Promise<(string | null)[]> {
  const events = await listEvents(database.store, { tenantId, after: 0, limit: 100 });
  return events.map(({ message }) => message).filter((message) => message !== null);
}

async function reach(tenantId: string, state: string) {
  await expect.poll(async () => (await readTenant(database.store, tenantId)).state).toBe(state);
  return await readTenant(database.store, tenantId);
}

const told = (tenantId: string) =>
  expect.poll(async () => (await readTenant(database.store, tenantId)).failure).toBe(waiting);

test('a provider that is away is waited for, its owner is told once, and the work goes on when it is back', async () => {
  let calls = 0;
  const engine = await start(async () => ((calls += 1) < 9 ? await away() : undefined), [1, 1, 1, 1, 1, 1]);
  const tenantId = await newTenant();
  await engine.startProvisioning(tenantId);
  expect(await reach(tenantId, 'awaiting_deploy')).toMatchObject({ failure: null });
  // Five tries, and then one after each pause.
  expect(calls).toBe(9);
  expect((await messages(tenantId)).slice(-2)).toEqual([waiting, back]);
  expect((await messages(tenantId)).filter((message) => message === waiting)).toHaveLength(1);
});

test('a process that ends while a workflow waits leaves the waiting to the next', async () => {
  // Long enough for the first process to end while it waits, however busy the computer is.
  const first = await start(away, [6000]);
  const tenantId = await newTenant();
  await first.startProvisioning(tenantId);
  await told(tenantId);
  await first.close();
  await start(async () => {}, []);
  await reach(tenantId, 'awaiting_deploy');
  expect((await messages(tenantId)).slice(-2)).toEqual([waiting, back]);
});

test('one that does not come back is given up after the last pause, with the reason', async () => {
  let calls = 0;
  const engine = await start(async () => {
    calls += 1;
    return await away();
  }, [1, 1, 1]);
  const tenantId = await newTenant();
  await engine.startProvisioning(tenantId);
  const { failure } = await reach(tenantId, 'provision_failed');
  expect(failure).toBe('create machine app: service unavailable');
  expect(calls).toBe(5 + 3);
});

test.for([
  ['what is refused', Object.assign(new Error('no'), { status: 400 }), 1],
  ['what has no room', Object.assign(new Error('no'), { status: 507 }), 1],
  ['what somebody else holds', Object.assign(new Error('no'), { status: 409 }), 5],
  ['what nobody knows', new Error('no'), 5],
] as const)('%s is not waited for', async ([, error, tries]) => {
  let calls = 0;
  const engine = await start(() => {
    calls += 1;
    return Promise.reject(error);
  }, [60 * 60_000]);
  const tenantId = await newTenant();
  await engine.startProvisioning(tenantId);
  await reach(tenantId, 'provision_failed');
  expect(calls).toBe(tries);
  expect(await messages(tenantId)).not.toContain(waiting);
});

test('a workflow that waits can be canceled, and what it did is closed', async () => {
  const engine = await start(away, [60 * 60_000]);
  const tenantId = await newTenant();
  await engine.startProvisioning(tenantId);
  await told(tenantId);
  await DBOS.cancelWorkflow(`provision:${tenantId}`);
  await engine.close();
  await start(away, []);
  expect(await reach(tenantId, 'provision_failed')).toMatchObject({
    failure: 'It was interrupted and could not go on.',
  });
});

const wait = 60 * 60_000;
const canceled = 'It was canceled while it waited for a provider, since the tenant is deleted (canceled_by_deletion).';

/** Deletes a tenant whose provider is back by now, and waits for its end. */
async function remove(engine: Workflows, tenantId: string): Promise<void> {
  const { id } = await openOperation(database.store, { tenantId, kind: 'delete' });
  await engine.startOperation(id);
  await reach(tenantId, 'deleted');
}

test('what only waits for a provider can be ended so that the tenant is deleted', async () => {
  const engine = await start(away, [wait]);
  const tenantId = await newTenant();
  await engine.startProvisioning(tenantId);
  await told(tenantId);
  const busy = openOperation(database.store, { tenantId, kind: 'delete' });
  await expect(busy).rejects.toMatchObject({ what: 'provision' });
  expect(await engine.cancelWaiting(tenantId)).toBe(true);
  expect(await readTenant(database.store, tenantId)).toMatchObject({ state: 'provision_failed', failure: canceled });
  expect((await DBOS.getWorkflowStatus(`provision:${tenantId}`))?.status).toBe('CANCELLED');
  expect(await engine.cancelWaiting(tenantId)).toBe(false);
  await remove(engine, tenantId);
});

test('a deploy and a restart that wait are ended alike, and what works is not', async () => {
  const engine = await start(async () => {}, [wait]);
  const tenantId = await newTenant();
  await engine.startProvisioning(tenantId);
  await reach(tenantId, 'awaiting_deploy');
  expect(await engine.cancelWaiting(tenantId)).toBe(false);
  const waits = () =>
    expect
      .poll(async () => (await readTenant(database.store, tenantId)).failure, { timeout: 30_000 })
      .toMatch(/^Waiting for a provider/);
  const release = { tenantId, image: '127.0.0.1:1/r:t', digest: 'sha256:1' };
  const { id: releaseId } = await createRelease(database, release);
  await engine.startDeploy(releaseId);
  await waits();
  expect(await engine.cancelWaiting(tenantId)).toBe(true);
  expect(await readTenant(database.store, tenantId)).toMatchObject({ state: 'awaiting_deploy', failure: canceled });
  const { rows } = await database.store.pool.query('select status, failure from releases where id = $1', [releaseId]);
  expect(rows).toEqual([{ status: 'failed', failure: canceled }]);

  const running = `update tenants set state = 'running', failure = null, current_release_id = $2 where id = $1`;
  await database.store.pool.query(running, [tenantId, releaseId]);
  const restart = await openOperation(database.store, { tenantId, kind: 'restart' });
  await engine.startOperation(restart.id);
  await waits();
  expect(await engine.cancelWaiting(tenantId)).toBe(true);
  expect(await readOperation(database, restart.id)).toMatchObject({ status: 'failed', failure: canceled });
  await remove(engine, tenantId);
});

test('a workflow waits only until the moment that it recorded', () => {
  const steps = [
    { name: 'create machine', output: null },
    { name: 'create machine: wait', output: 2000 },
  ];
  expect(isWaiting(steps, 1999)).toBe(true);
  // What it does then may be what ends its process.
  expect(isWaiting(steps, 2000)).toBe(false);
  const told = [...steps, { name: 'create machine: tell outage', output: null }];
  expect([isWaiting(told, 1999), isWaiting(told, 2000)]).toEqual([true, false]);
  expect(isWaiting([...told, { name: 'start machine', output: null }], 0)).toBe(false);
  expect(isWaiting([{ name: 'create machine: wait', output: null }], 0)).toBe(false);
  expect(isWaiting([], 0)).toBe(false);
});
