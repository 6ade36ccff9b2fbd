import { randomUUID } from 'node:crypto';
import { contract, type Endpoint } from '@sp/cloud-api/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sample } from '../src/openapi/example.ts';
import { listOperations, type Operation } from '../src/openapi/operations.ts';
import { type Edge, startEdge } from './edge.ts';

let edge: Edge;
let token: string;
let tenantId: string;
beforeAll(async () => {
  edge = await startEdge();
  token = (await edge.login('fuzz@example.com')).token;
  tenantId = (await edge.buy(token, 'fuzz')).tenantId;
});
afterAll(() => edge.stop());

const values: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  '',
  ' ',
  'x',
  'x'.repeat(70_000),
  '\u0000',
  '\ud800',
  "' or 1=1; --",
  '../../etc/passwd',
  '${jndi:x}',
  [],
  [[]],
  {},
  { toString: 1 },
  { a: { b: { c: {} } } },
];

const texts: readonly string[] = [
  '',
  '{',
  'null',
  '"text"',
  '[]',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"secrets":{"__proto__":"x","A":"b"}}',
  '{"secrets":{"A":"\\u0000"}}',
  '{"a":1,"a":2}',
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `{"a":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
  '\ufeff{}',
];

/** A body that is good but for one member, so that damage gets behind the first check; and the good one. */
function damagedBodies({ body = {} }: Operation): string[] {
  const good = sample(body) as Record<string, unknown>;
  const members = Object.keys((body['properties'] as object | undefined) ?? good);
  const damaged = members.flatMap((member) => values.map((value) => ({ ...good, [member]: value })));
  return [good, ...damaged].map((value) => JSON.stringify(value));
}

const operations = listOperations();
const routes = Object.entries(contract).flatMap(([resource, verbs]) =>
  Object.entries<Endpoint>(verbs)
    // A stream has no end; what it is asked with is its path.
    .filter(([, { kind }]) => kind !== 'events')
    .map(([verb, { method, path, request }]) => {
      const name = `${resource}.${verb}`;
      const operation = operations.find((one) => one.name === name);
      return { name, method, path, bodies: request && operation ? [...texts, ...damagedBodies(operation)] : [] };
    }),
);

/** What follows a path. */
const queries = ['tail', 'since', 'release', 'limit', 'before', 'redirect_uri', 'state', 'scope'].flatMap((name) =>
  ['', '-1', '1e9', '%00', '%ff', '9'.repeat(400), '2026-01-02T03:04:05%2B99:99'].map((value) => `?${name}=${value}`),
);

const ids = ['no-uuid', '%00', '%2e%2e', '..%2f..', 'a%20b', '%F0%9F%98%80', 'x'.repeat(2_000), '%ff', "'"];
const headers = [{}, { 'idempotency-key': 'k' }, { 'if-match': '"9"' }, { 'last-event-id': '-1' }];

async function send(
  route: (typeof routes)[number],
  request: { readonly id: string; readonly body?: string; readonly headers?: Record<string, string> },
): Promise<number> {
  const [id = '', query] = request.id.split('?');
  const path = `${route.path.replace(/\{\w+\}/g, (name) => (name === '{id}' ? id : 'x'))}${query === undefined ? '' : `?${query}`}`;
  const response = await edge.app.fetch(
    new Request(new URL(path, 'http://127.0.0.1:7300'), {
      method: route.method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...request.headers },
      ...(request.body === undefined || route.method === 'GET' ? {} : { body: request.body }),
    }),
  );
  await response.body?.cancel();
  return response.status;
}

describe.each(routes)('$name', (route) => {
  test('no damaged request is answered with a failure of ours', async () => {
    const failed: string[] = [];
    const note = (status: number, what: string): void => {
      if (status >= 500) failed.push(`${status} ${what.slice(0, 80)}`);
    };
    for (const id of [...ids, randomUUID()]) note(await send(route, { id, body: '{}' }), id);
    for (const extra of headers) note(await send(route, { id: tenantId, headers: extra }), JSON.stringify(extra));
    if (route.method === 'GET')
      for (const query of queries) note(await send(route, { id: `${tenantId}${query}` }), query);
    for (const body of route.bodies) note(await send(route, { id: tenantId, body }), body);
    expect(failed).toEqual([]);
    expect('polluted' in {}).toBe(false);
  });
});
