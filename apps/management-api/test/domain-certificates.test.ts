import { join } from 'node:path';
import { createDiskRegistryStorage } from '@sp/oci';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createManagementApi } from '../src/api.ts';
import { createFly } from '../src/machines/fly.ts';
import { baseUrl, type Edge, startEdge } from './edge.ts';
import { type FakeFly, startFakeFly } from './fake-fly.ts';
import { readTenant } from './test-database.ts';

let edge: Edge;
let fake: FakeFly;
beforeAll(async () => {
  edge = await startEdge();
  fake = await startFakeFly({ tokens: { token: 'acme' }, rateFactor: 50 });
});
afterAll(async () => {
  await edge.stop();
  await fake[Symbol.asyncDispose]();
});

const open = () =>
  createFly({
    token: 'token',
    organization: 'acme',
    images: createDiskRegistryStorage(join('/nonexistent', 'registry')),
    logger: pino({ enabled: false }),
    databaseHost: 'db.internal',
    machinesUrl: fake.url,
    logsUrl: fake.url,
    registry: fake.registry,
    rateFactor: 50,
    deadlineMs: 500,
  });

test('a proved domain gets a certificate of the provider, is active with it, and loses it with the domain', async () => {
  const { machines, certificates } = open();
  const api = createManagementApi({ ...edge.ports, certificates }, edge.options);
  const { token } = await edge.login('ada@example.com');
  const { tenantId } = await edge.buy(token, 'shop');
  await edge.store.pool.query(`update tenants set state = 'awaiting_deploy' where id = $1`, [tenantId]);
  const { appName } = await readTenant(edge.store, tenantId);
  await machines.createApp({ appName, tenantId, region: 'iad', volumeGb: 1 });
  const asked = () => Array.from(fake.apps.get(appName)?.certificates.keys() ?? []);
  const send = async (method: string, json?: unknown) => {
    const response = await api.fetch(
      new Request(`${baseUrl}/api/v1/tenants/${tenantId}/custom-domain`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      }),
    );
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    if (text === '') return { status: response.status, data: undefined };
    return { status: response.status, data: (JSON.parse(text) as { data: Record<string, string> }).data };
  };

  const { data } = await send('POST', { domain: 'shop.example.com' });
  expect(data).toMatchObject({ status: 'pending', verified: false });
  // Nobody asks for what is not proved.
  expect(asked()).toEqual([]);
  edge.dnsRecords.set('shop.example.com', [data?.['dns_target'] ?? '']);
  expect((await send('GET')).data).toMatchObject({ status: 'pending', verified: true });
  expect(asked()).toEqual(['shop.example.com']);
  fake.configureHostname('shop.example.com');
  expect((await send('GET')).data).toMatchObject({ status: 'active', verified: true });

  // A provider that does not answer costs nobody the page.
  fake.fail({ action: 'certificate-check', fault: { status: 500 }, times: 100 });
  expect(await send('GET')).toMatchObject({ status: 200, data: { status: 'pending', verified: true } });
  await send('POST', { domain: 'other.example.com' });
  expect(asked()).toEqual([]);
  edge.dnsRecords.set('other.example.com', [data?.['dns_target'] ?? '']);
  await certificates.ensure(appName, 'other.example.com');
  expect((await send('DELETE')).status).toBe(204);
  expect(asked()).toEqual([]);
});
