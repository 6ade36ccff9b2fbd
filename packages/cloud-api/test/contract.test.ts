import { expect, test } from 'vitest';
import { contract, type Endpoint } from '../src/contract.ts';
import { createCloudApiClient } from '../src/index.ts';

const endpoints = Object.entries(contract).flatMap(([resource, verbs]) =>
  Object.entries(verbs).map(([verb, endpoint]) => ({ resource, verb, endpoint: endpoint as Endpoint })),
);

test.each(endpoints)('api.$resource.$verb exists', ({ resource, verb }) => {
  const api = createCloudApiClient({ environment: 'local' }) as unknown as Record<string, Record<string, unknown>>;
  expect(api[resource]?.[verb]).toBeTypeOf('function');
});

test('the client has no call that the contract does not know', () => {
  const api = createCloudApiClient({ environment: 'local' });
  const calls = Object.entries(api)
    .filter(([, value]) => typeof value === 'object')
    .flatMap(([resource, verbs]) => Object.keys(verbs).map((verb) => `${resource}.${verb}`));
  expect(calls.sort()).toEqual(endpoints.map(({ resource, verb }) => `${resource}.${verb}`).sort());
});

test('no two endpoints share a method and a path', () => {
  const keys = endpoints.flatMap(({ endpoint }) =>
    [endpoint, ...(endpoint.aliases ?? [])].map(({ method, path }) => `${method} ${path}`),
  );
  expect(new Set(keys).size).toBe(keys.length);
});
