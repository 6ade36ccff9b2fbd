import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createPostgresDatabases } from '../src/databases/postgres-databases.ts';
import type { Databases } from '../src/ports/databases.ts';
import type { Machines } from '../src/ports/machines.ts';
import { retryProvisioning } from '../src/tenants/changes.ts';
import { createRelease } from '../src/tenants/deploys.ts';
import { listEvents } from '../src/tenants/events.ts';
import { openOperation } from '../src/tenants/operations.ts';
import { readSecrets, setSecrets } from '../src/tenants/secrets.ts';
import { startWorkflows, type Workflows, type WorkflowsOptions } from '../src/workflows/engine.ts';
import { insertPaidTenant, insertUser, readTenant, startTestDatabase, type TestDatabase } from './test-database.ts';

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

/** A provider that has nothing; each test says what it does instead. */
function machines(overrides: Partial<Machines> = {}): Machines {
  return {
    kind: 'process',
    databaseHost: '127.0.0.1',
    createApp: async () => {},
    start: () => Promise.reject(new Error('nothing starts here')),
    keep: async () => {},
    find: async () => undefined,
    list: async () => [],
    listApps: async () => [],
    logs: async () => [],
    async *readLogs() {},
    stop: async () => {},
    removeApp: async () => {},
    close: async () => {},
    ...overrides,
  };
}

async function start(overrides: Partial<WorkflowsOptions> = {}): Promise<Workflows> {
  const { store, vault, adminUrl } = database;
  workflows = await startWorkflows({
    store,
    vault,
    databases: createPostgresDatabases({ adminUrl }),
    machines: machines(),
    billing: { cancelSubscription: async () => {} },
    images: { listTenants: async () => [], remove: async () => {} },
    logger: pino({ level: 'silent' }),
    appUrl: (hostname) => `http://${hostname}`,
    retryIntervalMs: 1,
    healthIntervalMs: 1,
    ...overrides,
  });
  return workflows;
}

async function eventTypes(tenantId: string): Promise<string[]> {
  const events = await listEvents(database.store, { tenantId, after: 0, limit: 100 });
  return events.map((event) => event.eventType);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((done) => setTimeout(done, 10));
}

const provisioned = [
  'subscription_created',
  'tenant_created',
  'database_created',
  'secrets_stored',
  'vm_provisioning_started',
  'vm_provisioning_progress',
  'vm_provisioned',
  'secrets_configured',
  'infrastructure_ready',
];

async function newTenant(): Promise<string> {
  return (await insertPaidTenant(database.store, { ownerId: await insertUser(database.store) })).id;
}

test('a step that fails is tried again; asking twice provisions once', async () => {
  const real = createPostgresDatabases({ adminUrl: database.adminUrl });
  let failures = 3;
  const databases: Databases = {
    ...real,
    create: async (request) => {
      failures -= 1;
      if (failures >= 0) throw new Error('busy');
      return await real.create(request);
    },
  };
  const engine = await start({ databases });
  const tenantId = await newTenant();
  await Promise.all([engine.startProvisioning(tenantId), engine.startProvisioning(tenantId)]);
  await until(async () => (await readTenant(database.store, tenantId)).state !== 'provisioning');
  await engine.startProvisioning(tenantId);
  expect((await readTenant(database.store, tenantId)).state).toBe('awaiting_deploy');
  expect(await eventTypes(tenantId)).toEqual(provisioned);
});

test('a step that fails five times ends in provision_failed, with the reason for the owner', async () => {
  let calls = 0;
  let full = true;
  const real = createPostgresDatabases({ adminUrl: database.adminUrl });
  const databases: Databases = {
    ...real,
    create: async (request) => {
      calls += 1;
      if (full) throw new Error('no space left');
      return await real.create(request);
    },
  };
  const engine = await start({ databases });
  const tenantId = await newTenant();
  await engine.startProvisioning(tenantId);
  await until(async () => (await readTenant(database.store, tenantId)).state !== 'provisioning');
  const tenant = await readTenant(database.store, tenantId);
  expect(tenant).toMatchObject({ state: 'provision_failed', failure: 'create database: no space left' });
  expect(calls).toBe(5);
  expect(await eventTypes(tenantId)).toEqual(['subscription_created', 'tenant_created', 'provisioning_failed']);

  // Nobody has decided to try again: asking alone changes nothing.
  await engine.startProvisioning(tenantId);
  expect((await readTenant(database.store, tenantId)).state).toBe('provision_failed');
  full = false;
  await retryProvisioning(database.store, tenantId);
  await engine.startProvisioning(tenantId);
  await until(async () => (await readTenant(database.store, tenantId)).state !== 'provisioning');
  expect(await readTenant(database.store, tenantId)).toMatchObject({ state: 'awaiting_deploy', failure: null });
  expect((await eventTypes(tenantId)).at(-1)).toBe('infrastructure_ready');
});

test('what was interrupted in the middle of a step goes on at the next start, with nothing done twice', async () => {
  let passwords: string[] = [];
  const real = createPostgresDatabases({ adminUrl: database.adminUrl });
  const databases: Databases = {
    ...real,
    create: (request) => {
      passwords.push(request.password);
      return real.create(request);
    },
  };
  let entered = (): void => {};
  const inside = new Promise<void>((done) => (entered = done));
  const createApp: Machines['createApp'] = (_app, { signal } = {}) =>
    new Promise((_done, fail) => {
      entered();
      signal?.addEventListener('abort', () => fail(signal.reason as Error));
    });
  const first = await start({ databases, machines: machines({ createApp }) });
  const tenantId = await newTenant();
  await first.startProvisioning(tenantId);
  await inside;
  await first.close();
  expect((await readTenant(database.store, tenantId)).state).toBe('provisioning');
  expect(new Set(passwords).size).toBe(1);

  passwords = [];
  await start({ databases });
  await until(async () => (await readTenant(database.store, tenantId)).state !== 'provisioning');
  expect(await eventTypes(tenantId)).toEqual(provisioned);
  // The steps before the interrupted one are not run again.
  expect(passwords).toEqual([]);
});

test('a tenant that was paid for just before the process died is provisioned at the next start', async () => {
  const tenantId = await newTenant();
  await start();
  await until(async () => (await readTenant(database.store, tenantId)).state === 'awaiting_deploy');
  expect(await eventTypes(tenantId)).toEqual(provisioned);
});

test('a machine that cannot be started fails the release; the tenant waits for another deploy', async () => {
  const canary = `canary-${randomBytes(8).toString('hex')}`;
  const stopped: string[] = [];
  const failing = machines({
    start: async ({ env }) => {
      expect(env['API_KEY']).toBe(canary);
      throw new Error('there is no image');
    },
    stop: async (_app, releaseId) => void stopped.push(releaseId),
  });
  const engine = await start({ machines: failing });
  const tenantId = await newTenant();
  await engine.startProvisioning(tenantId);
  await until(async () => (await readTenant(database.store, tenantId)).state === 'awaiting_deploy');
  await setSecrets(database, { tenantId, kind: 'user', secrets: { API_KEY: canary } });
  const digest = `sha256:${'a'.repeat(64)}`;
  const release = await createRelease(database, { tenantId, image: '127.0.0.1:1/systemprompt-images:x', digest });
  expect(await engine.waitForRelease(release.id, { timeoutMs: 1 })).toMatchObject({ status: 'deploying' });
  await engine.startDeploy(release.id);
  const ended = await engine.waitForRelease(release.id, { timeoutMs: 90_000 });
  expect(ended).toMatchObject({ status: 'failed', failure: 'start machine: there is no image' });
  expect(await readTenant(database.store, tenantId)).toMatchObject({
    state: 'awaiting_deploy',
    currentReleaseId: null,
  });
  expect(stopped).toEqual([release.id]);
});

test('a process has one engine', async () => {
  await start();
  await expect(start()).rejects.toMatchObject({ code: 'SP_LOCAL_ONE_PER_PROCESS' });
});

/** A tenant that runs a release, as far as the books say. */
async function runningTenant(engine: Workflows): Promise<{ tenantId: string; releaseId: string }> {
  const tenantId = await newTenant();
  await engine.startProvisioning(tenantId);
  await until(async () => (await readTenant(database.store, tenantId)).state === 'awaiting_deploy');
  const release = await createRelease(database, { tenantId, image: 'r/i:t', digest: `sha256:${'0'.repeat(64)}` });
  const { pool } = database.store;
  await pool.query(`update releases set status = 'running' where id = $1`, [release.id]);
  await pool.query(`update tenants set state = 'running', current_release_id = $2 where id = $1`, [
    tenantId,
    release.id,
  ]);
  return { tenantId, releaseId: release.id };
}

const ended = { timeoutMs: 90_000 };

test('a rotation whose machine does not start leaves the old password, the old machine and the old state', async () => {
  const disabled: string[] = [];
  const real = createPostgresDatabases({ adminUrl: database.adminUrl });
  const databases: Databases = {
    ...real,
    disableLogin: async (request) => {
      disabled.push(request.login);
      await real.disableLogin(request);
    },
  };
  const kept: (string | undefined)[] = [];
  const keep: Machines['keep'] = async ({ releaseId, env }) => {
    // Before the login that the failed one has is closed: what goes on may start again at any time.
    if (kept.length === 0) expect(disabled).toEqual([]);
    kept.push(releaseId, new URL(env['DATABASE_URL'] ?? '').username.replace(/^.*_/, ''));
  };
  const engine = await start({ databases, machines: machines({ keep }) });
  const { tenantId, releaseId } = await runningTenant(engine);
  const before = await readSecrets(database, { tenantId, kind: 'platform' });
  for (const kind of ['rotate_credentials', 'rotate_sync_token'] as const) {
    const { id } = await openOperation(database.store, { tenantId, kind });
    expect((await readTenant(database.store, tenantId)).state).toBe('rotating');
    await expect(openOperation(database.store, { tenantId, kind: 'restart' })).rejects.toMatchObject({ what: kind });
    await expect(createRelease(database, { tenantId, image: 'i', digest: 'd' })).rejects.toMatchObject({ what: kind });
    await engine.startOperation(id);
    expect(await engine.waitForOperation(id, ended)).toMatchObject({
      status: 'failed',
      failure: expect.stringContaining('nothing starts here') as string,
    });
    expect(await readTenant(database.store, tenantId)).toMatchObject({
      state: 'running',
      databaseLogin: 'app',
      currentReleaseId: releaseId,
    });
  }
  expect(disabled).toEqual(['alt']);
  expect(kept).toEqual([releaseId, 'app', releaseId, 'app']);
  const { DATABASE_URL, SYNC_TOKEN } = await readSecrets(database, { tenantId, kind: 'platform' });
  expect({ DATABASE_URL, SYNC_TOKEN }).toEqual({
    DATABASE_URL: before['DATABASE_URL'],
    SYNC_TOKEN: before['SYNC_TOKEN'],
  });
});

test('a rotation that was interrupted goes on at the next start', async () => {
  let interrupted = false;
  const real = createPostgresDatabases({ adminUrl: database.adminUrl });
  let entered = (): void => {};
  const inside = new Promise<void>((done) => (entered = done));
  const databases: Databases = {
    ...real,
    disableLogin: async (request) => {
      if (interrupted) return await real.disableLogin(request);
      interrupted = true;
      entered();
      await new Promise(() => {});
    },
  };
  let engine = await start({ databases });
  const tenantId = await newTenant();
  await engine.startProvisioning(tenantId);
  await until(async () => (await readTenant(database.store, tenantId)).state === 'awaiting_deploy');
  const { id } = await openOperation(database.store, { tenantId, kind: 'rotate_credentials' });
  await engine.startOperation(id);
  await inside;
  await engine.close();
  engine = await start({ databases });
  expect(await engine.waitForOperation(id, ended)).toMatchObject({ status: 'done' });
  expect(await readTenant(database.store, tenantId)).toMatchObject({ state: 'awaiting_deploy', databaseLogin: 'alt' });
});

test('a deletion that fails half-way says why, and the next one finishes it', async () => {
  let reachable = false;
  const canceled: string[] = [];
  const billing = {
    cancelSubscription: async (subscriptionId: string) => {
      if (!reachable) throw new Error('the provider is away');
      canceled.push(subscriptionId);
    },
  };
  const removed: string[] = [];
  const engine = await start({
    billing,
    images: { listTenants: async () => [], remove: async (tenantId) => void removed.push(tenantId) },
  });
  const { tenantId } = await runningTenant(engine);
  const run = async () => {
    const { id } = await openOperation(database.store, { tenantId, kind: 'delete' });
    await engine.startOperation(id);
    return await engine.waitForOperation(id, ended);
  };
  expect(await run()).toMatchObject({ status: 'failed', failure: 'cancel subscription: the provider is away' });
  expect((await readTenant(database.store, tenantId)).state).toBe('deleting');
  reachable = true;
  expect(await run()).toMatchObject({ status: 'done' });
  expect(await readTenant(database.store, tenantId)).toMatchObject({ state: 'deleted', currentReleaseId: null });
  expect(canceled).toEqual(['sub_1']);
  expect(removed).toEqual([tenantId]);
  expect(await readSecrets(database, { tenantId, kind: 'platform' })).toEqual({});
});

test('a subscription that ends during a deploy suspends the tenant after it', async () => {
  const engine = await start();
  const { tenantId } = await runningTenant(engine);
  const release = await createRelease(database, { tenantId, image: 'r/i:t', digest: `sha256:${'1'.repeat(64)}` });
  await database.store.pool.query(`update tenants set subscription_status = 'canceled' where id = $1`, [tenantId]);
  await engine.settleSubscription(tenantId);
  expect((await readTenant(database.store, tenantId)).state).toBe('deploying');
  await engine.startDeploy(release.id);
  await until(async () => (await readTenant(database.store, tenantId)).state === 'suspended');
});

test('what the engine has given up does not stay open for ever', async () => {
  let broken = false;
  const overrides: Partial<WorkflowsOptions> = {
    machines: machines({
      start: async ({ releaseId }) => ({ id: 'm', releaseId, state: 'running', address: '127.0.0.1:1' }),
      find: async (_app, releaseId) => ({ id: 'm', releaseId, state: 'exited', exitCode: 1 }),
    }),
    appUrl: (hostname) => {
      if (broken) throw new Error('a mistake in the program');
      return `http://${hostname}`;
    },
  };
  let engine = await start(overrides);
  const { tenantId, releaseId } = await runningTenant(engine);
  const { pool } = database.store;
  const stuck = `update dbos.workflow_status set status = 'ERROR' where workflow_uuid = $1`;
  const engineUrl = new URL(database.store.url);
  engineUrl.pathname = `${engineUrl.pathname}_dbos`;
  const own = new Client({ connectionString: engineUrl.href });
  await own.connect();

  // The last step of making a tenant throws what is no failure of a provider.
  broken = true;
  const other = await newTenant();
  await engine.startProvisioning(other);
  await until(async () => (await readTenant(database.store, other)).state === 'provision_failed');
  broken = false;

  const { id } = await openOperation(database.store, { tenantId, kind: 'restart' });
  await engine.startOperation(id);
  expect(await engine.waitForOperation(id, ended)).toMatchObject({ status: 'failed' });
  await pool.query(`update tenant_operations set status = 'open' where id = $1`, [id]);
  await own.query(stuck, [`operate:${id}`]);
  const third = await runningTenant(engine);
  const deploy = await createRelease(database, { tenantId: third.tenantId, image: 'r/i:t', digest: 'sha256:2' });
  await engine.startDeploy(deploy.id);
  await engine.waitForRelease(deploy.id, ended);
  await pool.query(`update releases set status = 'deploying' where id = $1`, [deploy.id]);
  await pool.query(`update tenants set state = 'deploying' where id = $1`, [third.tenantId]);
  await own.query(stuck, [`deploy:${deploy.id}`]);
  await own.end();

  await engine.close();
  engine = await start(overrides);
  const failure = 'It was interrupted and could not go on.';
  expect(await engine.waitForOperation(id, { timeoutMs: 1 })).toMatchObject({ status: 'failed', failure });
  expect(await engine.waitForRelease(deploy.id, { timeoutMs: 1 })).toMatchObject({ status: 'failed', failure });
  for (const running of [tenantId, third.tenantId]) {
    expect(await readTenant(database.store, running)).toMatchObject({ state: 'running', failure });
  }
  expect((await readTenant(database.store, tenantId)).currentReleaseId).toBe(releaseId);
});
