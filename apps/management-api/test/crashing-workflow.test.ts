import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPostgresDatabases } from '../src/databases/postgres-databases.ts';
import { reconcile } from '../src/reconcile/reconcile.ts';
import { createRelease } from '../src/tenants/deploys.ts';
import { createVault } from '../src/vault/file-vault.ts';
import { type Provider, startProvider } from './crash/provider.ts';
import { createProviderMachines } from './crash/provider-machines.ts';
import { bundle, type Child, startChild } from './crash/run-child.ts';
import { insertPaidTenant, insertUser, readTenant, startTestDatabase, type TestDatabase } from './test-database.ts';

// A workflow that ends every process that tries it, and others that only run beside it.

const vaultKey = randomBytes(32);
let database: TestDatabase;
let provider: Provider;
let program: Awaited<ReturnType<typeof bundle>>;
let ownerId: string;
let child: Child | undefined;
beforeAll(async () => {
  [database, provider, program] = await Promise.all([startTestDatabase(), startProvider(), bundle('child')]);
  ownerId = await insertUser(database.store);
});
afterAll(async () => {
  await child?.kill();
  await provider?.stop();
  await database?.close();
  await program?.remove();
});

const newTenant = async (): Promise<string> =>
  (await insertPaidTenant(database.store, { ownerId, name: `shop-${randomBytes(6).toString('hex')}` })).id;
const stateOf = async (tenantId: string): Promise<string> => (await readTenant(database.store, tenantId)).state;

/** Starts processes until one lives and the condition holds; how many died. */
async function live(deadly: string, condition: () => Promise<boolean>): Promise<number> {
  const options = {
    databaseUrl: database.store.url,
    providerUrl: provider.url,
    vaultKey: vaultKey.toString('base64'),
    takeOverIntervalMs: 100,
    maxRecoveries: 2,
    deadly,
  };
  for (let deaths = 0; deaths < 30; deaths += 1) {
    // It can die before it has said that it is ready.
    const started = await startChild(program.path, options, () => {}).catch(() => undefined);
    child = started;
    while (started?.process.exitCode === null && started.process.signalCode === null) {
      if (await condition()) return deaths;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
  throw new Error('Processes die for ever');
}

test('a workflow that ends every process is given up after its last try; what ran beside it is finished', async () => {
  const beside = await Promise.all(Array.from({ length: 4 }, newTenant));
  const poison = await newTenant();
  const tenants = [...beside, poison];
  const deadly = `provision:${poison} decide secrets:before`;
  const deaths = await live(deadly, async () => {
    const states = await Promise.all(tenants.map(stateOf));
    return states.every((state) => state !== 'provisioning');
  });
  expect(deaths).toBe(3);
  const failure =
    'It ended the control plane each of the 3 times that it was tried, and is not tried again (workflow_given_up).';
  expect(await readTenant(database.store, poison)).toMatchObject({ state: 'provision_failed', failure });
  expect(await Promise.all(beside.map(stateOf))).toEqual(beside.map(() => 'awaiting_deploy'));

  // The same with a deploy.
  const [tenantId = ''] = beside;
  const release = await createRelease(database, { tenantId, image: '127.0.0.1:1/r:t', digest: 'sha256:1' });
  await child?.end();
  const again = await live(`deploy:${release.id} start machine:before`, async () => {
    return (await stateOf(tenantId)) !== 'deploying';
  });
  expect(again).toBe(3);
  expect(await readTenant(database.store, tenantId)).toMatchObject({ state: 'awaiting_deploy', failure });

  const { findings } = await reconcile(
    {
      store: database.store,
      vault: createVault(vaultKey),
      databases: createPostgresDatabases({ adminUrl: database.adminUrl }),
      machines: createProviderMachines(provider.url, async () => {}),
      images: { listTenants: async () => [], remove: async () => {} },
      logger: pino({ level: 'silent' }),
    },
    { repair: false },
  );
  expect(findings).toEqual(
    expect.arrayContaining([
      { kind: 'workflow_given_up', tenantId: poison, subject: `provision:${poison}`, outcome: 'reported' },
      { kind: 'workflow_given_up', tenantId, subject: `deploy:${release.id}`, outcome: 'reported' },
    ]),
  );
});

test('processes that end in good order count for nothing, however often', async () => {
  const tenantId = await newTenant();
  const options = {
    databaseUrl: database.store.url,
    providerUrl: provider.url,
    vaultKey: vaultKey.toString('base64'),
    takeOverIntervalMs: 100,
    maxRecoveries: 2,
  };
  await child?.end();
  for (let count = 0; count < 4; count += 1) {
    const reached: string[] = [];
    child = await startChild(program.path, { ...options, holdAt: 1 }, ({ type }) => void reached.push(type));
    while (!reached.includes('stopped')) await new Promise((done) => setTimeout(done, 20));
    await child.end();
  }
  child = await startChild(program.path, options, () => {});
  while ((await stateOf(tenantId)) === 'provisioning') await new Promise((done) => setTimeout(done, 20));
  expect(await stateOf(tenantId)).toBe('awaiting_deploy');
});
