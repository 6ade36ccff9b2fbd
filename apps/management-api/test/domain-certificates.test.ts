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

const open = (at: FakeFly) =>
  createFly({
    token: 'token',
    organization: 'acme',
    images: createDiskRegistryStorage(join('/nonexistent', 'registry')),
    logger: pino({ enabled: false }),
    databaseHost: 'db.internal',
    machinesUrl: at.url,
    logsUrl: at.url,
    registry: at.registry,
    rateFactor: 50,
    deadlineMs: 500,
  });

test('a proved domain gets a certificate of the provider, is active with it, and loses it with the domain', async () => {
  const { machines, certificates } = open(fake);
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

test('a name that is taken over loses the certificate of the tenant that had it, also when the provider stumbles', async () => {
  await using provider = await startFakeFly({ tokens: { token: 'acme' }, rateFactor: 50 });
  const { machines, certificates } = open(provider);
  const api = createManagementApi({ ...edge.ports, certificates }, edge.options);
  const { token } = await edge.login('grace@example.com');
  const domain = 'moved.example.com';
  const newTenant = async (name: string) => {
    const { tenantId } = await edge.buy(token, name);
    await edge.store.pool.query(`update tenants set state = 'awaiting_deploy' where id = $1`, [tenantId]);
    const { appName } = await readTenant(edge.store, tenantId);
    await machines.createApp({ appName, tenantId, region: 'iad', volumeGb: 1 });
    const call = async (method: string, json?: unknown) => {
      const response = await api.fetch(
        new Request(`${baseUrl}/api/v1/tenants/${tenantId}/custom-domain`, {
          method,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        }),
      );
      const { data } = (await response.json()) as { data: Record<string, string> };
      expect(response.status).toBe(200);
      return data;
    };
    const asked = () => Array.from(provider.apps.get(appName)?.certificates.keys() ?? []);
    /** Proves the name, which failed at whoever had it. */
    const take = async () => {
      await edge.store.pool.query(
        `update custom_domains set failing_since = now() - interval '11 minutes' where verified_at is not null and domain = $1`,
        [domain],
      );
      const { dns_target: target = '' } = await call('POST', { domain });
      edge.dnsRecords.set(domain, [target]);
      return call('GET');
    };
    return { tenantId, asked, take };
  };

  const [before, after] = [await newTenant('before'), await newTenant('after')];
  expect(await before.take()).toMatchObject({ verified: true });
  expect(before.asked()).toEqual([domain]);
  expect(await after.take()).toMatchObject({ verified: true });
  expect([before.asked(), after.asked()]).toEqual([[], [domain]]);

  edge.logged.length = 0;
  provider.fail({ action: 'certificate-delete', fault: { status: 500 }, times: 100 });
  expect(await before.take()).toMatchObject({ verified: true });
  expect(edge.logged.join('')).toContain('the provider did not answer about a certificate');
});
