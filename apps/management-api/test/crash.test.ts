import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listReleases } from '../src/releases/list-releases.ts';
import { findRollbackTarget } from '../src/releases/rollback-target.ts';
import { retryProvisioning } from '../src/tenants/changes.ts';
import { createRelease } from '../src/tenants/deploys.ts';
import { createEventFeed, type EventFeed } from '../src/tenants/event-feed.ts';
import { listEvents } from '../src/tenants/events.ts';
import { type OperationKind, openOperation, operationKinds } from '../src/tenants/operations.ts';
import { setSecrets } from '../src/tenants/secrets.ts';
import { createVault } from '../src/vault/file-vault.ts';
import { openDueOperation } from '../src/workflows/settle-subscription.ts';
import type { ChildMessage } from './crash/messages.ts';
import { type Provider, startProvider } from './crash/provider.ts';
import { bundle, type Child, startChild } from './crash/run-child.ts';
import { insertPaidTenant, insertUser, readTenant, startTestDatabase, type TestDatabase } from './test-database.ts';

// Every workflow is killed at each of its boundaries: the process hears nothing of it, the provider lives elsewhere. The
// first tenant goes through everything undisturbed and tells where the boundaries are; each of the others is held at one
// of them when the process is killed, and must end as the first one did.

const atOnce = 12;
const vaultKey = randomBytes(32);
const vault = createVault(vaultKey);

interface Phase {
  readonly name: string;
  /** Decides what is to be done, as a request does; the id of the workflow that does it. */
  open(tenantId: string): Promise<string>;
  readonly full?: boolean;
  readonly broken?: boolean;
  readonly away?: boolean;
  /** The process that goes on is killed as well, at the boundary of this number that each workflow comes by. */
  readonly again?: number;
}

const digests = ['a', 'b', 'c', 'd'].map((letter) => `sha256:${letter.repeat(64)}`);
const deploy = (digest: string | undefined) => async (tenantId: string) => {
  const release = await createRelease(database, { tenantId, image: '127.0.0.1:1/r:t', digest: digest ?? '' });
  return `deploy:${release.id}`;
};
const operate = (kind: OperationKind) => async (tenantId: string) =>
  `operate:${(await openOperation(database.store, { tenantId, kind })).id}`;

/** What a webhook does. */
const subscribe = (status: string) => async (tenantId: string) => {
  await database.store.pool.query('update tenants set subscription_status = $2 where id = $1', [tenantId, status]);
  return `operate:${await openDueOperation(database, { tenantId })}`;
};

// Those with the most boundaries come first, as far as what they need allows: later ones need fewer tenants.
const phases: readonly Phase[] = [
  { name: 'provision without room', full: true, open: async (tenantId) => `provision:${tenantId}` },
  {
    name: 'provision again',
    open: async (tenantId) => {
      await retryProvisioning(database.store, tenantId);
      return `provision:${tenantId}:1`;
    },
  },
  {
    name: 'deploy',
    open: async (tenantId) => {
      await setSecrets({ store: database.store, vault }, { tenantId, kind: 'user', secrets: { GREETING: 'one' } });
      return await deploy(digests[0])(tenantId);
    },
  },
  { name: 'rotate credentials', again: 7, open: operate('rotate_credentials') },
  { name: 'rotate credentials in vain', broken: true, open: operate('rotate_credentials') },
  { name: 'rotate sync token', open: operate('rotate_sync_token') },
  { name: 'deploy while the provider is away', away: true, open: deploy(digests[3]) },
  {
    name: 'restart with new secrets',
    open: async (tenantId) => {
      await setSecrets({ store: database.store, vault }, { tenantId, kind: 'user', secrets: { GREETING: 'three' } });
      return await operate('restart')(tenantId);
    },
  },
  {
    name: 'restart after a change of plan',
    open: async (tenantId) => {
      await database.store.pool.query('update tenants set memory_mb = 1024, volume_gb = 5 where id = $1', [tenantId]);
      return await operate('restart')(tenantId);
    },
  },
  { name: 'restart', open: operate('restart') },
  { name: 'deploy what does not start', broken: true, open: deploy(digests[1]) },
  {
    name: 'deploy another',
    again: 4,
    open: async (tenantId) => {
      await setSecrets({ store: database.store, vault }, { tenantId, kind: 'user', secrets: { GREETING: 'two' } });
      return await deploy(digests[2])(tenantId);
    },
  },
  {
    name: 'rollback',
    open: async (tenantId) => {
      const tenant = await readTenant(database.store, tenantId);
      const target = await findRollbackTarget(database.store, { tenant });
      if (target === undefined) throw new Error('nothing to go back to');
      const { number: rollbackOf, image, digest, secretsVersion } = target;
      const release = await createRelease(database, { tenantId, image, digest, secretsVersion, rollbackOf });
      return `deploy:${release.id}`;
    },
  },
  { name: 'suspend', open: subscribe('canceled') },
  { name: 'resume', open: subscribe('active') },
  { name: 'delete', open: operate('delete') },
];

let database: TestDatabase;
let provider: Provider;
let program: Awaited<ReturnType<typeof bundle>>;
let child: Child;
let feed: EventFeed;
let ownerId: string;
const following = new AbortController();
setMaxListeners(0, following.signal);
const seen = new Map<string, { sequence: number; eventType: string }[]>();
const reached = new Map<string, string[]>();
/** The workflows that the process holds. */
const held = new Set<string>();
const failures: string[] = [];
// What each phase must lead to, and where it can be killed: from the first tenant.
const snapshots = new Map<string, Snapshot>();
const boundaries = new Map<string, readonly string[]>();
let tenants: string[] = [];

beforeAll(async () => {
  [database, provider, program] = await Promise.all([startTestDatabase(), startProvider(), bundle('child')]);
  feed = await createEventFeed(database.store);
  ownerId = await insertUser(database.store);
  await start();
});
afterAll(async () => {
  await child?.kill();
  following.abort();
  await feed?.close();
  await provider?.stop();
  await database?.close();
  await program?.remove();
});

async function start(holdAt?: number): Promise<void> {
  const options = {
    holdAt,
    databaseUrl: database.store.url,
    providerUrl: provider.url,
    vaultKey: vaultKey.toString('base64'),
  };
  held.clear();
  child = await startChild(program.path, options, (message: ChildMessage) => {
    if (message.type === 'failed') failures.push(message.reason);
    if (message.type === 'stopped') held.add(message.workflowId);
    if (message.type !== 'reached') return;
    const { workflowId, label } = message;
    reached.set(workflowId, [...(reached.get(workflowId) ?? []), label]);
  });
}

async function newTenant(): Promise<string> {
  const { id } = await insertPaidTenant(database.store, { ownerId, name: `shop-${randomBytes(6).toString('hex')}` });
  const events: { sequence: number; eventType: string }[] = [];
  seen.set(id, events);
  void (async () => {
    for await (const { sequence, eventType } of feed.follow(id, { after: 0, signal: following.signal })) {
      events.push({ sequence, eventType });
    }
  })();
  return id;
}

function setModes({ full = false, broken = false, away = false }: Phase): void {
  Object.assign(provider, { full, broken, away });
}

let engine: Client | undefined;
async function statuses(ids: readonly string[]): Promise<Map<string, string>> {
  if (engine === undefined) {
    const url = new URL(database.store.url);
    url.pathname = `${url.pathname}_dbos`;
    engine = new Client({ connectionString: url.href });
    engine.on('error', () => {});
    await engine.connect();
  }
  const { rows } = await engine.query<{ id: string; status: string }>(
    'select workflow_uuid as id, status from dbos.workflow_status where workflow_uuid = any($1)',
    [ids],
  );
  for (const { id, status } of rows) if (status === 'ERROR') failures.push(`${id} ended with an error`);
  return new Map(rows.map(({ id, status }) => [id, status]));
}
afterAll(() => engine?.end());

async function until(condition: () => Promise<boolean> | boolean, describe = () => ''): Promise<void> {
  const patience = performance.now() + 180_000;
  while (!(await condition())) {
    if (failures.length > 0) throw new Error(failures.join('\n'));
    if (performance.now() > patience) throw new Error(`Waits for ever: ${describe()}\n${child.stderr()}`);
    await new Promise((done) => setTimeout(done, 30));
  }
}

/** Runs workflows, not too many at once, until each has ended or is held at its boundary. */
async function run(
  work: readonly { readonly workflowId: string; readonly stopAt?: string | undefined; readonly tell?: boolean }[],
) {
  const waiting = [...work];
  const open = new Map<string, string | undefined>();
  await until(
    async () => {
      const ended = await statuses([...open.keys()]);
      for (const [id, stopAt] of open) {
        if (stopAt === undefined ? ended.get(id) === 'SUCCESS' : held.has(id)) open.delete(id);
      }
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        open.set(next.workflowId, next.stopAt);
        child.send({ type: 'start', ...next });
        if (open.size >= atOnce) break;
      }
      return open.size === 0 && waiting.length === 0;
    },
    () => JSON.stringify([...open]),
  );
}

interface Snapshot {
  readonly state: string;
  readonly failure: string | null;
  readonly databaseLogin: string;
  readonly events: readonly string[];
  readonly releases: readonly unknown[];
  readonly operations: readonly unknown[];
  readonly roles: readonly unknown[];
  readonly databases: number;
  readonly app: unknown;
}

async function snapshot(tenantId: string): Promise<Snapshot> {
  const { store } = database;
  const tenant = await readTenant(store, tenantId);
  const { state, failure, databaseLogin, databaseName, appName, currentReleaseId } = tenant;
  const events = await listEvents(store, { tenantId, after: 0, limit: 1000 });
  const operations = await store.pool.query(
    `select kind, status, failure, release_id is not null as released from tenant_operations
     where tenant_id = $1 order by created_at`,
    [tenantId],
  );
  const roles = await store.pool.query<{ rolname: string }>(
    `select replace(rolname, $1, '') as role, rolcanlogin from pg_roles where starts_with(rolname, $1) order by 1`,
    [databaseName],
  );
  const databases = await store.pool.query('select 1 from pg_database where datname = $1', [databaseName]);
  const app = provider.apps.get(appName);
  for (const { env } of app?.machines ?? []) await logIn(env['DATABASE_URL'] ?? '');
  return {
    state,
    failure,
    databaseLogin,
    events: events.map(({ eventType }) => eventType),
    releases: (await listReleases(store, { tenantId, limit: 100 })).map((release) => ({
      number: release.number,
      status: release.status,
      digest: release.digest,
      failure: release.failure,
      rollbackOf: release.rollbackOf,
      secretsVersion: release.secretsVersion,
    })),
    operations: operations.rows,
    roles: roles.rows,
    databases: databases.rows.length,
    app: app && {
      volumes: app.volumes,
      volumeGb: app.volumeGb,
      addresses: app.addresses,
      machines: app.machines.map(({ release, env, state }) => ({
        current: release === currentReleaseId,
        state,
        greeting: env['GREETING'],
      })),
    },
  };
}

async function logIn(connectionString: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  await client.end();
}

test('an undisturbed tenant goes through everything, and shows where a process can be killed', async () => {
  const tenantId = await newTenant();
  for (const phase of phases) {
    setModes(phase);
    const workflowId = await phase.open(tenantId);
    await run([{ workflowId, tell: true }]);
    boundaries.set(phase.name, reached.get(workflowId) ?? []);
    snapshots.set(phase.name, await snapshot(tenantId));
  }
  expect([...snapshots.values()].map(({ state }) => state)).toEqual([
    'provision_failed',
    'awaiting_deploy',
    ...Array.from({ length: 11 }, () => 'running'),
    'suspended',
    'running',
    'deleted',
  ]);
  expect(provider.repeated).toEqual([]);
  // Who makes another kind of work adds it here.
  const { rows } = await database.store.pool.query<{ kind: string }>('select distinct kind from tenant_operations');
  expect(rows.map(({ kind }) => kind).sort()).toEqual([...operationKinds].sort());
  expect([...boundaries.values()].flat().length).toBeGreaterThan(400);
  const most = Math.max(...[...boundaries.values()].map((labels) => labels.length));
  tenants = await Promise.all(Array.from({ length: most }, newTenant));
});

test.each(phases)('$name: killed at each boundary, it ends as if nothing had happened', killEverywhere, 600_000);

async function killEverywhere(phase: Phase): Promise<void> {
  const labels = boundaries.get(phase.name) ?? [];
  expect(labels.length).toBeGreaterThan(5);
  // The others have no boundary to be killed at any more.
  const still = phases.slice(phases.indexOf(phase)).map(({ name }) => boundaries.get(name)?.length ?? 0);
  tenants = tenants.slice(0, Math.max(...still));
  setModes(phase);
  const work = await Promise.all(
    tenants.map(async (tenantId, index) => ({ workflowId: await phase.open(tenantId), stopAt: labels[index] })),
  );
  await run(work);
  const ids = work.map(({ workflowId }) => workflowId);
  await child.kill();
  if (phase.again !== undefined) {
    await start(phase.again);
    await until(async () => {
      const ended = await statuses(ids);
      return ids.every((id) => held.has(id) || ended.get(id) === 'SUCCESS');
    });
    expect(held.size).toBeGreaterThan(labels.length / 2);
    await child.kill();
  }
  await start();
  let open: readonly string[] = ids;
  await until(
    async () => {
      const ended = await statuses(ids);
      open = ids.filter((id) => ended.get(id) !== 'SUCCESS');
      return open.length === 0;
    },
    () => open.join(),
  );

  const expected = snapshots.get(phase.name);
  await Promise.all(
    labels.map(async (label, index) => {
      expect(await snapshot(tenants[index] ?? ''), `killed at ${label}`).toEqual(expected);
    }),
  );
  expect(provider.repeated).toEqual([]);
  const late = () => tenants.filter((id) => (seen.get(id)?.length ?? 0) < (expected?.events.length ?? 0));
  await until(
    () => late().length === 0,
    () => `events of ${late().join()}`,
  );
  for (const id of tenants) {
    expect(seen.get(id)).toEqual(expected?.events.map((eventType, index) => ({ sequence: index + 1, eventType })));
  }
}
