import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasOwnFlyDomain, tenantNameCheck } from '../src/commands/doctor/tenant-name-check.ts';
import { type Edge, startEdge } from './edge.ts';

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge({ hostname: (name) => `${name}.tenants.example.com` });
});
afterAll(() => edge.stop());

const check = (missing: readonly string[]) =>
  tenantNameCheck(
    { tenantDomain: 'tenants.example.com' },
    {
      store: edge.store,
      resolve: async (name) => {
        if (missing.includes(name)) throw new Error('ENOTFOUND');
      },
    },
  ).run(new AbortController().signal);

test('names of tenants that lead nowhere are told with the record that they need', async () => {
  expect(await check([])).toEqual({ status: 'ok', message: '0 names below tenants.example.com lead somewhere' });
  const { token } = await edge.login('owner@example.com');
  for (const name of ['one', 'two', 'three', 'four', 'five']) await edge.buy(token, name);
  expect(await check([])).toEqual({ status: 'ok', message: '5 names below tenants.example.com lead somewhere' });
  const { status, message } = await check(
    ['two', 'three', 'four', 'five'].map((name) => `${name}.tenants.example.com`),
  );
  expect(status).toBe('warning');
  expect(message).toMatch(
    /^4 of 5 names lead nowhere; records are missing: two\.tenants\.example\.com CNAME sp-[\da-f]+\.fly\.dev, .* and 1 more$/,
  );
});

test('only apps of Fly.io with names that are not Fly.io’s need a record each', () => {
  expect(hasOwnFlyDomain({ machines: 'fly', tenantDomain: 'fly.dev' })).toBe(false);
  expect(hasOwnFlyDomain({ machines: 'docker', tenantDomain: 'tenants.example.com' })).toBe(false);
  expect(hasOwnFlyDomain({ machines: 'fly', tenantDomain: 'tenants.example.com' })).toBe(true);
});
