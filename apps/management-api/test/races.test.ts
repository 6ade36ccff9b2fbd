import { DBOS } from '@dbos-inc/dbos-sdk';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createPostgresDatabases } from '../src/databases/postgres-databases.ts';
import type { Machine, Machines } from '../src/ports/machines.ts';
import { reconcile } from '../src/reconcile/reconcile.ts';
import { retryProvisioning } from '../src/tenants/changes.ts';
import { createRelease } from '../src/tenants/deploys.ts';
import { listEvents } from '../src/tenants/events.ts';
import { closeOperation, openOperation } from '../src/tenants/operations.ts';
import { startWorkflows, type Workflows } from '../src/workflows/engine.ts';
import { openDueOperation } from '../src/workflows/settle-subscription.ts';
import { serveHandler } from './serve.ts';
import { insertPaidTenant, insertUser, readTenant, startTestDatabase, type TestDatabase } from './test-database.ts';

// What comes between two steps of something else: other requests, webhooks, and other replicas.

let database: TestDatabase;
let health: Awaited<ReturnType<typeof serveHandler>>;
let workflows: Workflows | undefined;
/** Of all tenants, by release. */
const running = new Map<string, { readonly appName: string }>();
beforeAll(async () => {
  [database, health] = await Promise.all([startTestDatabase(), serveHandler(() => new Response('ok'))]);
});
afterEach(async () => {
  await workflows?.close();
  workflows = undefined;
  running.clear();
  await database.store.pool.query('truncate tenants cascade');
});
afterAll(async () => {
  await health[Symbol.asyncDispose]();
  await database.close();
});

const toMachine = (releaseId: string): Machine => ({
  id: releaseId,
  releaseId,
  state: 'running',
  address: health.host,
});
const listOf = (appName: string) =>
  [...running].filter(([, machine]) => machine.appName === appName).map(([releaseId]) => toMachine(releaseId));

function machines(overrides: Partial<Machines> = {}): Machines {
  return {
    kind: 'fly',
    databaseHost: '127.0.0.1',
    createApp: async () => {},
    start: async ({ appName, releaseId }) => {
      running.set(releaseId, { appName });
      return toMachine(releaseId);
    },
    keep: async () => {},
    find: async (_app, releaseId) => (running.has(releaseId) ? toMachine(releaseId) : undefined),
    list: async (appName) => listOf(appName),
    listApps: async () => [],
    logs: async () => [],
    async *readLogs() {},
    stop: async (_app, releaseId) => void running.delete(releaseId),
    removeApp: async () => {},
    close: async () => {},
    ...overrides,
  };
}

const images = { listTenants: async () => [], remove: async () => {} };
const databases = () => createPostgresDatabases({ adminUrl: database.adminUrl });

async function start(driver = machines()): Promise<Workflows> {
  workflows = await startWorkflows({
    store: database.store,
    vault: database.vault,
    databases: databases(),
    machines: driver,
    billing: { cancelSubscription: async () => {} },
    images,
    logger: pino({ level: 'silent' }),
    appUrl: (hostname) => `http://${hostname}`,
    retryIntervalMs: 1,
    healthIntervalMs: 1,
    reconcileIntervalMs: 0,
  });
  return workflows;
}

const stateOf = async (tenantId: string): Promise<string> => (await readTenant(database.store, tenantId)).state;
const reach = (tenantId: string, state: string) => expect.poll(() => stateOf(tenantId)).toBe(state);

async function newTenant(engine: Workflows): Promise<string> {
  const { id } = await insertPaidTenant(database.store, { ownerId: await insertUser(database.store) });
  await engine.startProvisioning(id);
  await reach(id, 'awaiting_deploy');
  return id;
}

let count = 0;
async function deploy(engine: Workflows, tenantId: string): Promise<string> {
  const digest = `sha256:${String((count += 1)).padStart(64, '0')}`;
  const { id } = await createRelease(database, { tenantId, image: 'r/i:t', digest });
  await engine.startDeploy(id);
  expect(await engine.waitForRelease(id, { timeoutMs: 90_000 })).toMatchObject({ status: 'running' });
  return id;
}

test('a deploy that still looks for old machines leaves the one that the next deploy has brought', async () => {
  const gate = { closed: false, open: (): void => {}, entered: (): void => {} };
  const isInside = new Promise<void>((done) => (gate.entered = done));
  const isOpen = new Promise<void>((done) => (gate.open = done));
  const list = async (appName: string): Promise<readonly Machine[]> => {
    if (gate.closed) {
      gate.closed = false;
      gate.entered();
      await isOpen;
    }
    return listOf(appName);
  };
  const engine = await start(machines({ list }));
  const tenantId = await newTenant(engine);
  await deploy(engine, tenantId);
  gate.closed = true;
  await deploy(engine, tenantId);
  await isInside;
  // It runs, and has nothing but cleaning up before it, when somebody deploys again.
  const newest = await deploy(engine, tenantId);
  gate.open();
  const { appName } = await readTenant(database.store, tenantId);
  await expect.poll(() => listOf(appName).length).toBe(1);
  expect(listOf(appName)).toMatchObject([{ releaseId: newest }]);
});

test('a machine that a comparison starts while its tenant is suspended does not stay', async () => {
  const engine = await start();
  const tenantId = await newTenant(engine);
  const releaseId = await deploy(engine, tenantId);
  running.delete(releaseId);
  const slow = machines({
    start: async ({ appName }) => {
      // While the provider is at it a webhook comes, and the suspension finds nothing to stop.
      await database.store.pool.query(`update tenants set subscription_status = 'paused' where id = $1`, [tenantId]);
      await engine.settleSubscription(tenantId);
      await expect
        .poll(
          async () => {
            const { rows } = await database.store.pool.query(
              `select 1 from tenant_operations where tenant_id = $1 and kind = 'suspend' and status = 'done'`,
              [tenantId],
            );
            return rows.length;
          },
          { timeout: 90_000 },
        )
        .toBe(1);
      running.set(releaseId, { appName });
      return toMachine(releaseId);
    },
  });
  const { store, vault } = database;
  const deps = { store, vault, databases: databases(), machines: slow, images, logger: pino({ level: 'silent' }) };
  const { findings } = await reconcile(deps, { repair: true });
  expect(findings).toContainEqual(expect.objectContaining({ kind: 'machine_missing', tenantId }));
  expect(await stateOf(tenantId)).toBe('suspended');
  expect(running.has(releaseId)).toBe(false);
});

test('a tenant that nobody pays for any more is not made again', async () => {
  const { store } = database;
  const { id } = await insertPaidTenant(store, { ownerId: await insertUser(store) });
  const set = (standing: string) =>
    store.pool.query(`update tenants set state = 'provision_failed', ${standing} where id = $1`, [id]);
  await set(`subscription_status = 'canceled', suspend_at = now() - interval '1 second'`);
  await expect(retryProvisioning(store, id)).rejects.toMatchObject({ status: 409, code: 'tenant_state_conflict' });
  expect(await stateOf(id)).toBe('provision_failed');
  // What is paid for until later, and what is owed but waited for, is.
  for (const standing of [
    `subscription_status = 'canceled', suspend_at = now() + interval '1 day'`,
    `subscription_status = 'past_due', suspend_at = now() + interval '1 day'`,
    `subscription_status = 'active', suspend_at = null`,
  ]) {
    await set(standing);
    await retryProvisioning(store, id);
    expect(await stateOf(id)).toBe('provisioning');
  }
  await set(`subscription_status = 'canceled', suspend_at = null`);
});

test('what a subscription asks for and cannot be done is tried with growing pauses, and told once', async () => {
  const { store } = database;
  const { id: tenantId } = await insertPaidTenant(store, { ownerId: await insertUser(store) });
  await store.pool.query(`update tenants set state = 'suspended', subscription_status = 'active' where id = $1`, [
    tenantId,
  ]);
  const begun: number[] = [];
  const beginning = Date.now();
  const minute = 60_000;
  for (let passed = 0; passed < 5 * 60 * minute; passed += minute / 2) {
    const now = beginning + passed;
    const operationId = await openDueOperation({ store }, { tenantId, now });
    if (operationId === undefined) continue;
    begun.push(passed / minute);
    await closeOperation(store.db, { id: operationId, failure: 'no' });
    await store.pool.query(`update tenant_operations set created_at = $2, finished_at = $2 where id = $1`, [
      operationId,
      new Date(now),
    ]);
  }
  expect(begun).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
  const told = (await listEvents(store, { tenantId, after: 0, limit: 100 })).map(({ message }) => message);
  expect(told.filter((message) => message === 'The tenant is paid for again and starts.')).toHaveLength(1);
});

test('of everything that is asked for at once one begins, whoever asks first', async () => {
  const engine = await start();
  const tenantId = await newTenant(engine);
  const deployed = await deploy(engine, tenantId);
  // It looks at the subscription when it is done.
  const status = async () => (await DBOS.getWorkflowStatus(`deploy:${deployed}`))?.status;
  await expect.poll(status).toBe('SUCCESS');
  const { store } = database;
  await store.pool.query(`update tenants set subscription_status = 'paused' where id = $1`, [tenantId]);
  const idOf = ({ id }: { readonly id: string }): string => id;
  const asked = await Promise.allSettled([
    openOperation(store, { tenantId, kind: 'restart' }).then(idOf),
    openOperation(store, { tenantId, kind: 'rotate_credentials' }).then(idOf),
    openOperation(store, { tenantId, kind: 'delete' }).then(idOf),
    createRelease(database, { tenantId, image: 'r/i:t', digest: `sha256:${'f'.repeat(64)}` }).then(idOf),
    openDueOperation({ store }, { tenantId }).then((id) => id ?? Promise.reject(new Error('nothing due'))),
    openDueOperation({ store }, { tenantId }).then((id) => id ?? Promise.reject(new Error('nothing due'))),
  ]);
  const begun = new Set(asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
  // Two webhooks begin the same, and find what its owner's deletion has begun.
  expect(begun.size).toBe(1);
  const { rows } = await store.pool.query(
    `select (select count(*) from tenant_operations where tenant_id = $1 and status = 'open')::int
          + (select count(*) from releases where tenant_id = $1 and status = 'deploying')::int as open`,
    [tenantId],
  );
  expect(rows).toEqual([{ open: 1 }]);
});
