import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

/** The rules of OpenAPI 3.1.0 for what the document uses, as its meta schema has them: nothing that it does not know. */
const reference = z.strictObject({ $ref: z.string().regex(/^#\/components\//) });
const schema = z.looseObject({});
const header = z.union([reference, z.strictObject({ description: z.string(), schema })]);
const media = z
  .strictObject({
    schema,
    example: z.unknown().optional(),
    examples: z.record(z.string(), z.strictObject({ summary: z.string(), value: z.unknown() })).optional(),
    'x-event-data': reference.optional(),
  })
  // One or the other, and never none.
  .refine(({ example, examples }) => (example === undefined) !== (examples === undefined));
const content = z.record(z.string().regex(/^[a-z]+\/[a-z-]+$/), media);
const response = z.strictObject({
  description: z.string(),
  headers: z.record(z.string(), header).optional(),
  content: content.optional(),
});
const parameter = z
  .strictObject({
    name: z.string(),
    in: z.enum(['path', 'query', 'header']),
    required: z.boolean(),
    description: z.string().optional(),
    schema,
  })
  .refine((value) => value.in !== 'path' || value.required)
  .refine(({ name }) => !['accept', 'content-type', 'authorization'].includes(name.toLowerCase()));
const operation = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
  summary: z.string(),
  tags: z.array(z.string()),
  parameters: z.array(parameter).optional(),
  requestBody: z.strictObject({ required: z.boolean(), content }).optional(),
  responses: z.record(z.string().regex(/^[1-5]\d\d$/), response).refine((value) => Object.keys(value).length > 0),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  'x-rate-limits': z.array(
    z.strictObject({ name: z.string(), requests: z.int(), seconds: z.int(), per: z.enum(['user', 'address']) }),
  ),
});
const openApi = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    description: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  servers: z.array(z.strictObject({ url: z.url() })),
  tags: z.array(z.strictObject({ name: z.string() })),
  paths: z.record(
    z.string().startsWith('/'),
    z.partialRecord(z.enum(['get', 'post', 'put', 'patch', 'delete']), operation),
  ),
  components: z.strictObject({
    schemas: z.record(z.string().regex(/^[A-Za-z0-9._-]+$/), schema),
    securitySchemes: z.record(
      z.string(),
      z.strictObject({
        type: z.literal('http'),
        scheme: z.literal('bearer'),
        bearerFormat: z.string(),
        description: z.string(),
      }),
    ),
    headers: z.record(z.string(), header),
  }),
});

const parsed = openApi.parse(JSON.parse(JSON.stringify(document)));

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

test('its references lead somewhere, and its paths name exactly their parameters', () => {
  const text = JSON.stringify(parsed);
  for (const [, path = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const target = path.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], parsed);
    expect(target, path).toBeTypeOf('object');
  }
  for (const [path, item] of Object.entries(parsed.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const { parameters = [] } of Object.values(item)) {
      expect(parameters.filter((at) => at.in === 'path').map(({ name }) => name)).toEqual(names);
    }
  }
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
