import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createMachinePorts } from '../src/machines/machine-ports.ts';
import { findNotedAddresses } from '../src/releases/noted-addresses.ts';
import { createRelease } from '../src/tenants/deploys.ts';
import { insertPaidTenant, insertUser, startTestDatabase } from './test-database.ts';

const full = { code: 'SP_MACHINE_STATE' };

test('a port is below those of connections, and another one each time', async () => {
  const choose = createMachinePorts();
  const ports = [await choose([]), await choose([]), await choose([])];
  expect(new Set(ports).size).toBe(3);
  for (const port of ports) expect(port >= 20_000 && port < 32_000).toBe(true);
});

test('nobody gets a port that is in use, or that of a machine that may start again', async () => {
  await using server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const first = typeof address === 'object' ? (address?.port ?? 0) : 0;
  await expect(createMachinePorts({ first, count: 1 })([])).rejects.toMatchObject(full);
  await expect(createMachinePorts({ first: 20_000, count: 2 })([20_001, 20_000])).rejects.toMatchObject(full);
});

test('nobody gets a port at which a tenant is looked for, also when nothing runs there any more', async (context) => {
  const database = await startTestDatabase();
  context.onTestFinished(() => database.close());
  const { store } = database;
  const ownerId = await insertUser(store);
  const tenantAt = async (name: string, at: { readonly state: string; readonly address: string }) => {
    const { id } = await insertPaidTenant(store, { ownerId, name });
    await store.pool.query(`update tenants set state = 'awaiting_deploy' where id = $1`, [id]);
    const release = await createRelease(database, { tenantId: id, image: '127.0.0.1:1/r:t', digest: 'sha256:1' });
    await store.pool.query(`update releases set address = $2 where id = $1`, [release.id, at.address]);
    await store.pool.query(`update tenants set state = $2, current_release_id = $3 where id = $1`, [
      id,
      at.state,
      release.id,
    ]);
  };
  await tenantAt('runs', { state: 'running', address: '127.0.0.1:20000' });
  await tenantAt('suspended', { state: 'suspended', address: '127.0.0.1:20001' });
  await tenantAt('deleted', { state: 'deleted', address: '127.0.0.1:20002' });
  const notedAddresses = async () => await findNotedAddresses(store);
  expect((await notedAddresses()).toSorted()).toEqual(['127.0.0.1:20000', '127.0.0.1:20001']);
  const choose = createMachinePorts({ notedAddresses, first: 20_000, count: 2 });
  await expect(choose([])).rejects.toMatchObject(full);
});
