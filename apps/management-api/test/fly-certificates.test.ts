import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createDiskRegistryStorage } from '@sp/oci';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFly } from '../src/machines/fly.ts';
import { type FakeFly, startFakeFly } from './fake-fly.ts';

let fake: FakeFly;
beforeAll(async () => {
  fake = await startFakeFly({ tokens: { 'fm2_planted,fm2_other': 'acme' }, rateFactor: 20 });
});
afterAll(() => fake[Symbol.asyncDispose]());

const open = () =>
  createFly({
    token: 'fm2_planted,fm2_other',
    organization: 'acme',
    images: createDiskRegistryStorage(join('/nonexistent', 'registry')),
    logger: pino({ enabled: false }),
    databaseHost: 'db.internal',
    machinesUrl: fake.url,
    logsUrl: fake.url,
    registry: fake.registry,
    rateFactor: 20,
    settleMs: 1000,
  });

test('a certificate says which records it needs, and is active when they are there', async () => {
  const { machines, certificates } = open();
  const appName = `sp-${randomUUID().slice(0, 8)}`;
  const hostname = `${appName}.example.com`;
  await machines.createApp({ appName, tenantId: randomUUID(), region: 'iad', volumeGb: 1 });
  expect(await certificates.check(appName, hostname)).toBeUndefined();

  const asked = await certificates.ensure(appName, hostname);
  expect(asked).toMatchObject({ hostname, status: 'pending', reason: expect.stringContaining(hostname) });
  expect(asked.records.map(({ type, name, purpose }) => `${type} ${name} ${purpose}`)).toEqual([
    `CNAME ${hostname} traffic`,
    `A ${hostname} traffic`,
    `AAAA ${hostname} traffic`,
    `CNAME _acme-challenge.${hostname} validation`,
    `TXT _fly-ownership.${hostname} ownership`,
  ]);
  expect(asked.records[0]?.value).toBe(`${appName}.fly.dev`);
  fake.fail({ action: 'certificate-create', fault: { statusAfterWork: 500 }, app: appName });
  expect(await certificates.ensure(appName, hostname)).toEqual(asked);

  expect(await certificates.check(appName, hostname)).toEqual(asked);
  fake.configureHostname(hostname);
  expect(await certificates.check(appName, hostname)).toEqual({ hostname, status: 'active', records: asked.records });
  await certificates.remove(appName, hostname);
  await certificates.remove(appName, hostname);
  expect(fake.apps.get(appName)?.certificates.size).toBe(0);
});

test('an app with a host name of its own gets a certificate for it, also when the answer is lost', async () => {
  const { machines } = open();
  const appName = `sp-${randomUUID().slice(0, 8)}`;
  const app = { appName, tenantId: randomUUID(), region: 'iad', volumeGb: 1, hostname: `${appName}.example.com` };
  fake.fail({ action: 'certificate-create', fault: { cut: 'after-work' }, app: appName });
  await machines.createApp(app);
  await machines.createApp(app);
  expect(Array.from(fake.apps.get(appName)?.certificates.keys() ?? [])).toEqual([app.hostname]);
});
