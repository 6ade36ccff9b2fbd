import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createRelease } from '../src/tenants/deploys.ts';
import { listEvents } from '../src/tenants/events.ts';
import { type OperationKind, openOperation } from '../src/tenants/operations.ts';
import { openDueOperation } from '../src/workflows/settle-subscription.ts';
import type { ChildMessage } from './crash/messages.ts';
import { type Provider, startProvider } from './crash/provider.ts';
import { bundle, type Child, startChild } from './crash/run-child.ts';
import { insertPaidTenant, insertUser, readTenant, startTestDatabase, type TestDatabase } from './test-database.ts';

// Whole processes, of which a busy computer starts one in many seconds.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

// Two control planes, each a process of its own, over one Postgres and one provider.

interface Replica {
  readonly child: Child;
  readonly stopped: Set<string>;
  readonly reached: string[];
  readonly events: Map<string, { sequence: number; eventType: string }[]>;
}

const vaultKey = randomBytes(32).toString('base64');
let database: TestDatabase;
let provider: Provider;
let program: Awaited<ReturnType<typeof bundle>>;
let ownerId: string;
let first: Replica;
let second: Replica;
const failures: string[] = [];

beforeAll(async () => {
  [database, provider, program] = await Promise.all([startTestDatabase(), startProvider(), bundle('child')]);
  ownerId = await insertUser(database.store);
});
beforeEach(async () => {
  // One after the other: each makes what it needs of the engine's own tables.
  first = await startReplica();
  second = await startReplica();
});
afterEach(async () => {
  await Promise.all([first, second].map((replica) => replica?.child.kill()));
});
afterAll(async () => {
  await provider?.stop();
  await database?.close();
  await program?.remove();
});

async function startReplica(): Promise<Replica> {
  const facts: Omit<Replica, 'child'> = { stopped: new Set(), reached: [], events: new Map() };
  const options = { databaseUrl: database.store.url, providerUrl: provider.url, vaultKey, takeOverIntervalMs: 200 };
  const child = await startChild(program.path, options, (message: ChildMessage) => {
    if (message.type === 'stopped') facts.stopped.add(message.workflowId);
    if (message.type === 'reached') facts.reached.push(`${message.workflowId} ${message.label}`);
    if (message.type === 'failed') failures.push(message.reason);
    if (message.type !== 'event') return;
    const { tenantId, sequence, eventType } = message;
    facts.events.set(tenantId, [...(facts.events.get(tenantId) ?? []), { sequence, eventType }]);
  });
  return { child, ...facts };
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) {
    if (failures.length > 0) throw new Error(failures.join('\n'));
    await new Promise((done) => setTimeout(done, 25));
  }
}

const newTenant = async (): Promise<string> =>
  (await insertPaidTenant(database.store, { ownerId, name: `shop-${randomBytes(6).toString('hex')}` })).id;
const stateOf = async (tenantId: string): Promise<string> => (await readTenant(database.store, tenantId)).state;
const start = (replica: Replica, workflowId: string, stopAt?: string): void =>
  replica.child.send({ type: 'start', workflowId, stopAt, tell: stopAt !== undefined });

async function deploy(replica: Replica, tenantId: string): Promise<void> {
  const release = await createRelease(database, { tenantId, image: '127.0.0.1:1/r:t', digest: `sha256:${tenantId}` });
  start(replica, `deploy:${release.id}`);
}

test('one of two is killed under load: the other finishes everything, once, and its subscribers miss nothing', async () => {
  const tenants = await Promise.all(Array.from({ length: 40 }, newTenant));
  for (const [index, tenantId] of tenants.entries()) {
    second.child.send({ type: 'follow', tenantId });
    start(index % 2 === 0 ? first : second, `provision:${tenantId}`);
  }
  // Each is deployed as soon as it can be, by both in turn, until one of them is gone in the middle of it.
  const deployed = new Set<string>();
  let killed = false;
  await until(async () => {
    for (const [index, tenantId] of tenants.entries()) {
      if (deployed.has(tenantId) || (await stateOf(tenantId)) !== 'awaiting_deploy') continue;
      deployed.add(tenantId);
      await deploy(killed || index % 4 > 1 ? second : first, tenantId);
    }
    if (!killed && deployed.size >= 10) {
      killed = true;
      await first.child.kill();
    }
    return (await Promise.all(tenants.map(stateOf))).every((state) => state === 'running');
  });
  expect(killed).toBe(true);

  expect(provider.repeated).toEqual([]);
  for (const tenantId of tenants) {
    const { appName, currentReleaseId } = await readTenant(database.store, tenantId);
    const app = provider.apps.get(appName);
    expect(app).toMatchObject({ volumes: 1, addresses: 1, machines: [{ release: currentReleaseId }] });
    expect(app?.machines).toHaveLength(1);
    const stored = await listEvents(database.store, { tenantId, after: 0, limit: 100 });
    expect(new Set(stored.map(({ eventType }) => eventType)).size).toBe(stored.length);
    await until(() => (second.events.get(tenantId)?.length ?? 0) >= stored.length);
    expect(second.events.get(tenantId)).toEqual(stored.map(({ sequence, eventType }) => ({ sequence, eventType })));
  }
});

test('what both are asked to do at once is done once, and both tell the same of it', async () => {
  const tenantId = await newTenant();
  for (const replica of [first, second]) replica.child.send({ type: 'follow', tenantId });
  const both = (workflowId: string): void => [first, second].forEach((replica) => start(replica, workflowId));
  both(`provision:${tenantId}`);
  await until(async () => (await stateOf(tenantId)) === 'awaiting_deploy');
  await deploy(first, tenantId);
  await until(async () => (await stateOf(tenantId)) === 'running');
  const operationOf = async (id: string) =>
    (await database.store.pool.query('select status, failure from tenant_operations where id = $1', [id])).rows[0];
  const subscribe = (status: string) => async () => {
    await database.store.pool.query('update tenants set subscription_status = $2 where id = $1', [tenantId, status]);
    // Two webhooks, each to another replica; what came before looks at the subscription as well when it is done.
    const due = await Promise.all([1, 2].map(() => openDueOperation(database, { tenantId })));
    const { rows } = await database.store.pool.query<{ id: string }>(
      'select id from tenant_operations where tenant_id = $1 order by created_at desc limit 1',
      [tenantId],
    );
    const id = rows[0]?.id ?? '';
    for (const one of due) expect([id, undefined]).toContain(one);
    return id;
  };
  const open = (kind: OperationKind) => async () => (await openOperation(database.store, { tenantId, kind })).id;
  for (const [begin, state] of [
    [open('restart'), 'running'],
    [open('rotate_credentials'), 'running'],
    [open('rotate_sync_token'), 'running'],
    [subscribe('paused'), 'suspended'],
    [subscribe('active'), 'running'],
    [open('delete'), 'deleted'],
  ] as const) {
    const id = await begin();
    both(`operate:${id}`);
    await until(async () => ((await operationOf(id)) as { status: string }).status !== 'open');
    expect(await operationOf(id)).toEqual({ status: 'done', failure: null });
    expect(await stateOf(tenantId)).toBe(state);
    const { appName, currentReleaseId } = await readTenant(database.store, tenantId);
    const machines = provider.apps.get(appName)?.machines.map(({ release }) => release) ?? [];
    if (state === 'running') expect(machines).toContain(currentReleaseId);
    else expect(machines).toEqual([]);
  }
  expect(provider.repeated).toEqual([]);
  const stored = await listEvents(database.store, { tenantId, after: 0, limit: 100 });
  const expected = stored.map(({ sequence, eventType }) => ({ sequence, eventType }));
  for (const { events } of [first, second]) {
    await until(() => (events.get(tenantId)?.length ?? 0) >= expected.length);
    expect(events.get(tenantId)).toEqual(expected);
  }
});

test('one that is told to end hands over what it has begun', async () => {
  const tenantId = await newTenant();
  const workflowId = `provision:${tenantId}`;
  start(first, workflowId, '4 create database:before');
  await until(() => first.stopped.has(workflowId));
  await first.child.end();
  await until(async () => (await stateOf(tenantId)) === 'awaiting_deploy');
  expect(provider.repeated).toEqual([]);
});

test('one that only seems to have ended does nothing more to what another has taken over', async () => {
  const tenantId = await newTenant();
  start(first, `provision:${tenantId}`);
  await until(async () => (await stateOf(tenantId)) === 'awaiting_deploy');
  await deploy(first, tenantId);
  await until(async () => (await stateOf(tenantId)) === 'running');
  // In the order of their starts; those of the tests before are gone as soon as the server notices.
  const executors = async (): Promise<readonly number[]> => {
    const { rows } = await database.store.pool.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'sp-management-api executor' order by backend_start`,
    );
    return rows.map(({ pid }) => pid);
  };
  await until(async () => (await executors()).length === 2);
  const others = (await executors())[1];
  const { id } = await openOperation(database.store, { tenantId, kind: 'restart' });
  const workflowId = `operate:${id}`;
  const before = '7 stop machine:before';
  start(first, workflowId, before);
  await until(() => first.stopped.has(workflowId));

  // The server ends the connection that says that it lives, and each that comes in its place, until the other one has
  // looked in between.
  const closed = async (): Promise<boolean> => {
    const { rows } = await database.store.pool.query<{ status: string }>(
      'select status from tenant_operations where id = $1',
      [id],
    );
    return rows[0]?.status === 'done';
  };
  await until(async () => {
    await database.store.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'sp-management-api executor' and pid <> $1`,
      [others],
    );
    return await closed();
  });
  const { appName } = await readTenant(database.store, tenantId);
  const machines = (): readonly string[] => provider.apps.get(appName)?.machines.map((machine) => machine.id) ?? [];
  const [running] = machines();
  expect(running).toBeDefined();

  first.child.send({ type: 'release', workflowId });
  // Something that comes after it in the same process.
  const other = await newTenant();
  start(first, `provision:${other}`);
  await until(async () => (await stateOf(other)) === 'awaiting_deploy');
  expect(machines()).toEqual([running]);
  expect(first.reached).not.toContain(`${workflowId} 8 stop machine:after`);
});
