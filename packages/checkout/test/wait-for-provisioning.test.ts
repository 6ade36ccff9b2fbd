import type { ProvisioningEvent } from '@sp/cloud-api';
import { expect, test } from 'vitest';
import { waitForProvisioning } from '../src/index.ts';
import { fakeCloud } from './fake-cloud.ts';

const statusPath = '/api/v1/tenants/t_1/status';

test.each([
  ['infrastructure_ready', true],
  ['tenant_ready', false],
])('the event %s ends it', async (eventType, needsDeploy) => {
  const cloud = await fakeCloud();
  const seen: ProvisioningEvent[] = [];
  const outcome = waitForProvisioning({ api: cloud.api, tenantId: 't_1', onEvent: (event) => seen.push(event) });
  cloud.emit('database_created');
  cloud.emit(eventType);
  expect(await outcome).toMatchObject({ event: { eventType, tenantId: 't_1' }, needsDeploy });
  expect(seen.map((event) => event.eventType)).toEqual(['database_created', eventType]);
  // Once at the beginning, once to make sure that the event is not an old one.
  expect(cloud.requests.get(statusPath)).toBe(2);
});

test('a tenant that runs needs no deploy, whatever happened to it once', async () => {
  const cloud = await fakeCloud();
  cloud.emit('infrastructure_ready', { status: 'awaiting_deploy' });
  cloud.setStatus('running', { app_url: 'https://site.test' });
  expect(await waitForProvisioning({ api: cloud.api, tenantId: 't_1' })).toMatchObject({
    event: { eventType: 'tenant_ready', status: 'running', appUrl: 'https://site.test' },
    needsDeploy: false,
  });
  expect(cloud.requests.get('/api/v1/tenants/t_1/events')).toBeUndefined();
});

test.each([
  ['infrastructure_ready', 'deploying'],
  ['tenant_ready', 'rotating'],
  ['provisioning_failed', 'provisioning'],
])('the old event %s of a tenant that is %s is only an event', async (eventType, status) => {
  const cloud = await fakeCloud();
  cloud.emit(eventType);
  cloud.setStatus(status);
  const seen: string[] = [];
  const outcome = waitForProvisioning({
    api: cloud.api,
    tenantId: 't_1',
    pollIntervalMs: 5,
    onEvent: (event) => seen.push(event.eventType),
  });
  while (seen.length === 0 || (cloud.requests.get(statusPath) ?? 0) < 4)
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(seen).toEqual([eventType]);
  cloud.setStatus('running');
  expect(await outcome).toMatchObject({ needsDeploy: false });
});

test('when the status cannot be had, the events decide', async () => {
  for (const [eventType, expected] of [
    ['tenant_ready', { needsDeploy: false }],
    ['provisioning_failed', { code: 'SP_CHECKOUT_PROVISIONING_FAILED', reason: 'no capacity' }],
  ] as const) {
    const cloud = await fakeCloud();
    cloud.refuseStatus(500);
    cloud.emit(eventType, { message: 'no capacity' });
    const outcome = waitForProvisioning({ api: cloud.api, tenantId: 't_1' });
    expect(await outcome.catch((error: unknown) => error)).toMatchObject(expected);
  }
});

test.each([
  ['awaiting_deploy', true],
  ['infrastructure_ready', true],
  ['ready', false],
  ['running', false],
  ['deployed', false],
])('without a stream, the status %s ends it', async (status, needsDeploy) => {
  const cloud = await fakeCloud();
  cloud.refuseStreams(404);
  const outcome = waitForProvisioning({ api: cloud.api, tenantId: 't_1', pollIntervalMs: 5 });
  while ((cloud.requests.get(statusPath) ?? 0) < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  cloud.setStatus(status, { app_url: 'https://site.test' });
  expect(await outcome).toMatchObject({ event: { status, appUrl: 'https://site.test' }, needsDeploy });
});

test('a stream that is held back is no obstacle', async () => {
  const cloud = await fakeCloud();
  cloud.setStatus('awaiting_deploy');
  const outcome = await waitForProvisioning({ api: cloud.api, tenantId: 't_1', pollIntervalMs: 5 });
  expect(outcome.needsDeploy).toBe(true);
});

test.each(['failed', 'provision_failed'])('the status %s is a failure', async (status) => {
  const cloud = await fakeCloud();
  cloud.refuseStreams(404);
  cloud.setStatus(status, { message: 'no capacity' });
  await expect(waitForProvisioning({ api: cloud.api, tenantId: 't_1', pollIntervalMs: 5 })).rejects.toMatchObject({
    code: 'SP_CHECKOUT_PROVISIONING_FAILED',
    reason: 'no capacity',
    tenantId: 't_1',
  });
});

test('the event of a failure is a failure', async () => {
  const cloud = await fakeCloud();
  cloud.emit('provisioning_failed');
  cloud.setStatus('provision_failed');
  await expect(waitForProvisioning({ api: cloud.api, tenantId: 't_1' })).rejects.toMatchObject({
    code: 'SP_CHECKOUT_PROVISIONING_FAILED',
    reason: undefined,
  });
});

test('it ends when time runs out, when it is given up, and when the login is not valid', async () => {
  const cloud = await fakeCloud();
  const wait = (options: object): Promise<unknown> =>
    waitForProvisioning({ api: cloud.api, tenantId: 't_1', pollIntervalMs: 5, ...options });
  await expect(wait({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'SP_CHECKOUT_TIMEOUT', tenantId: 't_1' });
  await expect(wait({ signal: AbortSignal.timeout(30) })).rejects.toMatchObject({ code: 'SP_CHECKOUT_ABORTED' });
  cloud.refuseStreams(401);
  await expect(wait({})).rejects.toMatchObject({ code: 'SP_API_UNAUTHORIZED' });
});
