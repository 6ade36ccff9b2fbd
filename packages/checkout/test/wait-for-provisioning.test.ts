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
  expect(cloud.requests.get(statusPath)).toBeUndefined();
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
