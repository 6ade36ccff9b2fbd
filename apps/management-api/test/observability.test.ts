import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createManagementApi } from '../src/api.ts';
import { redactSecrets } from '../src/http/log-redaction.ts';
import { baseUrl, type Edge, startEdge } from './edge.ts';

const metricsToken = 'metrics-token-of-the-operator';
let edge: Edge;
let owner: { token: string; userId: string };
beforeAll(async () => {
  edge = await startEdge({ metricsToken });
  owner = await edge.login('owner@example.com');
});
afterAll(() => edge.stop());

const ready = async (app = edge.app) => {
  const response = await app.fetch(new Request(`${baseUrl}/readyz`));
  return { status: response.status, ...((await response.json()) as { parts: Record<string, string> }) };
};

test('is ready when the database answers and has every migration', async () => {
  expect(await ready()).toEqual({ status: 'ok', parts: { database: 'ok', migrations: 'ok' } });
  await edge.store.pool.query('update drizzle.__drizzle_migrations set created_at = created_at - 1e12');
  expect((await ready()).parts).toEqual({ database: 'ok', migrations: 'failed' });
  await edge.store.pool.query('update drizzle.__drizzle_migrations set created_at = created_at + 1e12');
});

test('is not ready while a part is not, says which, and keeps the reason for its log', async () => {
  const app = createManagementApi(edge.ports, {
    ...edge.options,
    readinessChecks: {
      workflows: () => {
        throw new Error('engine-reason');
      },
      hanging: () => new Promise(() => {}),
    },
  });
  const response = await app.fetch(new Request(`${baseUrl}/readyz`));
  expect(response.status).toBe(503);
  const text = await response.text();
  expect(JSON.parse(text)).toEqual({
    status: 'unavailable',
    parts: { database: 'ok', migrations: 'ok', workflows: 'failed', hanging: 'failed' },
  });
  expect(text).not.toContain('engine-reason');
  expect(edge.logged.join('')).toContain('engine-reason');
});

async function scrape(token?: string, app = edge.app): Promise<{ status: number; text: string }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await app.fetch(new Request(`${baseUrl}/metrics`, { headers }));
  return { status: response.status, text: await response.text() };
}

const value = (text: string, start: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(start))
      ?.split(' ')
      .at(-1) ?? Number.NaN,
  );

test('metrics are for whoever has the token, and not there without one', async () => {
  expect((await scrape()).status).toBe(401);
  expect((await scrape(owner.token)).status).toBe(401);
  expect((await scrape(metricsToken)).status).toBe(200);
  const without = createManagementApi(edge.ports, { ...edge.options, metricsToken: undefined });
  expect((await scrape(metricsToken, without)).status).toBe(404);
});

test('metrics name routes and not addresses, count streams while they are open, and know the tenants', async () => {
  const { tenantId } = await edge.buy(owner.token, 'measured');
  await edge.call(`/api/v1/tenants/${tenantId}/status`, { token: owner.token });
  await edge.call('/api/v1/nothing/here', { method: 'BREW' });
  const stream = await edge.call(`/api/v1/tenants/${tenantId}/events`, { token: owner.token });
  const reader = stream.body?.getReader();
  await reader?.read();

  const { text } = await scrape(metricsToken);
  expect(
    value(text, 'sp_http_request_duration_seconds_count{method="GET",route="/api/v1/tenants/:id/status",status="200"}'),
  ).toBe(1);
  expect(text).toContain('method="other"');
  expect(value(text, 'sp_event_streams')).toBe(1);
  expect(value(text, 'sp_tenants{state="provisioning"}')).toBe(1);
  expect(value(text, 'sp_database_connections{state="idle"}')).toBeGreaterThan(0);
  expect(text).toContain('process_resident_memory_bytes');
  for (const secret of [tenantId, owner.userId, owner.token, 'owner@example.com', 'measured', 'nothing/here']) {
    expect(text).not.toContain(secret);
  }
  await reader?.cancel();
  await expect.poll(async () => value((await scrape(metricsToken)).text, 'sp_event_streams')).toBe(0);
});

test('each request is one line of JSON that leads to its answer', async () => {
  edge.logged.length = 0;
  const response = await edge.call('/api/v1/tenants', { token: owner.token });
  const [line] = edge.logged.map((text) => JSON.parse(text) as Record<string, unknown>);
  expect(line).toMatchObject({
    msg: 'request',
    requestId: response.headers.get('x-request-id'),
    method: 'GET',
    route: '/api/v1/tenants',
    status: 200,
    userId: owner.userId,
  });
  expect(edge.logged.join('')).not.toContain(owner.token);
});

test('what should never be logged is not shown where somebody logs it after all', () => {
  const lines: string[] = [];
  const logger = pino({ formatters: { log: redactSecrets } }, { write: (line: string) => lines.push(line) });
  const secret = 'canary-of-the-log';
  logger.info({ token: secret, request: { authorization: secret, headers: { cookie: secret } } }, 'deep');
  logger.error({ spec: { env: { API_KEY: secret } }, databaseUrl: secret, sync_token: secret }, 'machine');
  const circle: Record<string, unknown> = { 'api-key': secret, list: [{ jwt: { API_KEY: secret } }] };
  circle['self'] = circle;
  logger.child({ part: 'child' }).warn({ password: secret, circle }, 'child');
  expect(lines.length).toBe(3);
  expect(lines.join('')).not.toContain(secret);
  expect(lines.join('')).toContain('[redacted]');
});
