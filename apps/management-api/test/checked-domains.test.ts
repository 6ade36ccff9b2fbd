import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Certificate } from '../src/ports/certificates.ts';
import { checkDomains } from '../src/tenants/check-domains.ts';
import { type Edge, failure, startEdge } from './edge.ts';

// Domains that were proved are looked at again, and show when they are not right any more.

const hour = 60 * 60_000;
let edge: Edge;
let owner: { token: string };
beforeAll(async () => {
  edge = await startEdge();
  owner = await edge.login('owner@example.com');
});
afterAll(() => edge.stop());

async function newTenant(name: string) {
  const { tenantId } = await edge.buy(owner.token, name);
  await edge.store.pool.query(`update tenants set state = 'running' where id = $1`, [tenantId]);
  const path = `/api/v1/tenants/${tenantId}/custom-domain`;
  const read = async () => {
    const answer = await edge.call(path, { token: owner.token });
    return ((await answer.json()) as { data: Record<string, unknown> }).data;
  };
  const set = (domain: string) => edge.call(path, { method: 'POST', token: owner.token, json: { domain } });
  return { tenantId, read, set };
}

/** A look after so many hours. */
async function look(hours: number, certificate?: Certificate): Promise<void> {
  const certificates = certificate === undefined ? {} : { certificates: { check: async () => certificate } };
  const { logger } = edge.options;
  await checkDomains({ ...edge.ports, logger, ...certificates }, { now: Date.now() + hours * hour });
}

/** As if the trouble had begun a while ago. */
const wait = () =>
  edge.store.pool.query(`update custom_domains set failing_since = now() - interval '11 minutes'
  where failing_since is not null`);

test('a record that leads elsewhere is noticed, shown after a while, and forgotten when it is right again', async () => {
  const { read, set } = await newTenant('shop');
  await set('shop.example.com');
  const { dns_target: target } = await read();
  edge.dnsRecords.set('shop.example.com', [String(target)]);
  expect(await read()).toMatchObject({ status: 'active', verified: true });

  // Not yet due; a name server that does not answer says nothing.
  edge.dnsRecords.set('shop.example.com', ['elsewhere.example.net']);
  await look(0);
  edge.dnsRecords.delete('shop.example.com');
  await look(2);
  await wait();
  expect(await read()).toMatchObject({ status: 'active', verified: true });

  edge.dnsRecords.set('shop.example.com', ['elsewhere.example.net']);
  await look(4);
  // It may be a passing trouble.
  expect(await read()).toMatchObject({ status: 'active', verified: true });
  expect(edge.logged.join('')).toContain('its record leads to elsewhere.example.net, not to');
  await wait();
  expect(await read()).toMatchObject({ status: 'failing', verified: false });

  edge.dnsRecords.set('shop.example.com', [String(target)]);
  expect(await read()).toMatchObject({ status: 'active', verified: true });
  await look(5);
  edge.dnsRecords.delete('shop.example.com');
  expect(await read()).toMatchObject({ status: 'active', verified: true });
});

test('a certificate that is gone is told, and shown', async () => {
  const { read, set } = await newTenant('certain');
  await set('certain.example.com');
  const { dns_target: target } = await read();
  edge.dnsRecords.set('certain.example.com', [String(target)]);
  expect(await read()).toMatchObject({ status: 'active' });
  await look(2, { hostname: 'certain.example.com', status: 'pending', records: [], reason: 'CAA forbids it' });
  expect(edge.logged.join('')).toContain('it has no certificate: CAA forbids it');
  const { rows } = await edge.store.pool.query(`select failing_since is not null as failing from custom_domains
    where domain = 'certain.example.com'`);
  expect(rows).toEqual([{ failing: true }]);
});

test('who proves a name that another has lost gets it, and nobody before', async () => {
  const before = await newTenant('before');
  const after = await newTenant('after');
  await before.set('moved.example.com');
  edge.dnsRecords.set('moved.example.com', [String((await before.read())['dns_target'])]);
  expect(await before.read()).toMatchObject({ status: 'active' });
  expect(await failure(await after.set('moved.example.com'))).toMatchObject({ status: 409, code: 'domain_taken' });
  edge.dnsRecords.set('moved.example.com', ['elsewhere.example.net']);
  await look(2);
  await wait();
  expect((await after.set('moved.example.com')).status).toBe(200);
  expect(await before.read()).toMatchObject({ status: 'failing' });
  edge.dnsRecords.set('moved.example.com', [String((await after.read())['dns_target'])]);
  expect(await after.read()).toMatchObject({ status: 'active', verified: true });
  expect(await before.read()).toMatchObject({ status: 'pending', verified: false });
});
