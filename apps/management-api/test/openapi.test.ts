import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BaseResolver, createConfig, lintDocument, makeDocumentFromString } from '@redocly/openapi-core';
import { contract, type Endpoint, fromWire } from '@sp/cloud-api/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { createManagementApi } from '../src/api.ts';
import { createOpenApiDocument } from '../src/openapi/document.ts';
import { commonErrors, endpointErrors, otherErrors } from '../src/openapi/endpoint-errors.ts';
import { limitsOf } from '../src/openapi/endpoint-limits.ts';
import { sample, sampleAnswer } from '../src/openapi/example.ts';
import { listOperations } from '../src/openapi/operations.ts';
import { baseUrl, type Edge, startEdge } from './edge.ts';

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.stop());

const document = createOpenApiDocument({ baseUrl });

/** What these tests look at. */
interface Parsed {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const parsed = JSON.parse(JSON.stringify(document)) as Parsed;

test('is served to everybody, as it is made', async () => {
  const response = await edge.call('/openapi.json');
  expect(response.headers.get('content-type')).toContain('application/json');
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(await response.json()).toEqual(JSON.parse(JSON.stringify(document)));
});

test('has every endpoint of the contract in each spelling, with names that are one operation’s only', () => {
  const listed = Object.entries(parsed.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const wanted = Object.values(contract).flatMap((verbs) =>
    Object.values<Endpoint>(verbs).flatMap((endpoint) =>
      [endpoint, ...(endpoint.aliases ?? [])].map(({ method, path }) => `${method} ${path}`),
    ),
  );
  expect(listed.sort()).toEqual(wanted.sort());
  const ids = Object.values(parsed.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
  expect(new Set(ids).size).toBe(ids.length);
});

test('is OpenAPI 3.1 by the rules of a linter', async () => {
  const problems = await lintDocument({
    document: makeDocumentFromString(JSON.stringify(document), 'openapi.json'),
    externalRefResolver: new BaseResolver(),
    config: await createConfig({
      extends: ['recommended-strict'],
      rules: {
        'operation-parameters-unique': 'error',
        'path-params-defined': 'error',
        'no-invalid-schema-examples': 'error',
        // The data of events are named where a media type has no word for them: `x-event-data`.
        'no-unused-components': 'off',
      },
    }),
  });
  expect(problems.map(({ message, location: [at] }) => `${at?.pointer}: ${message}`)).toEqual([]);
});

test('speaks as the wire does, and every schema is one that a validator can read', () => {
  for (const [name, made] of Object.entries(parsed.components.schemas)) {
    expect(() => z.fromJSONSchema(made as never), name).not.toThrow();
    const keys = [...JSON.stringify(made).matchAll(/"properties":\{"([^"]+)"/g)].map(([, key]) => key);
    for (const key of keys) expect(key, name).toMatch(/^[a-z0-9_]+$/);
  }
});

describe.each(listOperations().filter(({ body }) => body !== undefined))('$name', ({ endpoint, body }) => {
  test('takes the example that its schema gives', () => {
    const value = z.fromJSONSchema(body as never).parse(sample(body ?? {}));
    const result = (endpoint.request as unknown as z.ZodType).safeParse(fromWire(value));
    // Prices, regions and images are further rules of their own.
    expect(result.error?.issues ?? []).toEqual([]);
  });
});

test('real answers fit what is said about them', async () => {
  const { token } = await edge.login('openapi@example.com');
  const { tenantId, checkout_session_id: checkoutId } = await edge.buy(token, 'shop');
  const asked = ['user.get', 'plans.list', 'checkout.get', 'tenants.list', 'tenants.get', 'tenants.getStatus'];
  asked.push('tenants.getLogs', 'tenants.listAuditEntries', 'releases.list', 'secrets.list', 'auth.listSessions');
  asked.push('auth.listAuditEntries');
  for (const { name, endpoint, answer } of listOperations()) {
    if (!asked.includes(name)) continue;
    const path = endpoint.path.replace('{id}', name.startsWith('checkout') ? checkoutId : tenantId);
    const response = await edge.call(path, { token });
    expect(response.status, name).toBe(200);
    expect(() => z.fromJSONSchema(answer as never).parse, name).not.toThrow();
    const result = z.fromJSONSchema(answer as never).safeParse(await response.json());
    expect(result.error?.issues ?? [], name).toEqual([]);
  }
});

test.each(listOperations().filter(({ answer }) => answer !== undefined))(
  'the example of $name is one',
  ({ answer }) => {
    const result = z.fromJSONSchema(answer as never).safeParse(sampleAnswer(answer ?? {}));
    expect(result.error?.issues ?? []).toEqual([]);
  },
);

test('says of each operation the limit that is counted for it', async () => {
  const strict = createManagementApi(edge.ports, { ...edge.options, rateLimits: {} });
  const { token } = await edge.login('limits@example.com');
  for (const { name, endpoint } of listOperations()) {
    const path = endpoint.path.replace('{provider}', 'github').replaceAll(/\{\w+\}/g, 'x');
    const { method } = endpoint;
    const response = await strict.fetch(
      new Request(`${baseUrl}${path}`, {
        method,
        headers: {
          'content-type': 'application/json',
          ...(endpoint.auth === 'none' ? {} : { authorization: `Bearer ${token}` }),
        },
        body: method === 'GET' ? null : '{}',
      }),
    );
    const last = limitsOf(name, endpoint).at(-1);
    expect(response.headers.get('ratelimit-policy'), name).toBe(
      `"${last?.name}";q=${last?.requests};w=${last?.seconds}`,
    );
    await response.body?.cancel();
  }
});

test('every error code that the program knows is told somewhere, and no other', async () => {
  const src = fileURLToPath(new URL('../src', import.meta.url));
  const found = new Set<string>();
  for (const file of await readdir(src, { recursive: true })) {
    if (!file.endsWith('.ts') || /^(openapi|dashboard|local|machines|config)\//.test(file)) continue;
    const text = await readFile(join(src, file), 'utf8');
    if (!text.includes('ApiFailure')) continue;
    for (const [, code = ''] of text.matchAll(/(?:code: |\b4\d\d, )'([a-z]+(?:_[a-z]+)*)'/g)) found.add(code);
  }
  const told = [...Object.values(endpointErrors).flat(), ...Object.values(commonErrors), ...otherErrors];
  const codes = new Set(told.map(({ code }) => code));
  found.delete('code');
  expect([...found].filter((code) => !codes.has(code))).toEqual([]);
  const dynamic = ['authorization_pending', 'slow_down', 'access_denied', 'expired_token', 'not_found'];
  expect([...codes].filter((code) => !found.has(code) && !dynamic.includes(code))).toEqual([]);
});

test('errors that are told belong to endpoints that exist', () => {
  const names = new Set(listOperations().map(({ name }) => name));
  expect(Object.keys(endpointErrors).filter((name) => !names.has(name))).toEqual([]);
});

test('the page for people has every endpoint, loads nothing, and runs nothing', async () => {
  const response = await edge.call('/docs');
  const page = await response.text();
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; /);
  for (const { name, endpoint } of listOperations()) {
    expect(page, name).toContain(`id="${name}"`);
    expect(page, name).toContain(`${endpoint.method} ${endpoint.path}</code>`);
  }
  expect(page).not.toMatch(/<script|<link|<img|src=|url\(/);
});
