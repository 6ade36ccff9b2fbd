import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { contract } from '../src/contract.ts';
import { createCloudApiClient, isCloudApiError } from '../src/index.ts';
import { sse } from './server.ts';

type Api = ReturnType<typeof createCloudApiClient>;

/** Every call that reads an answer, with arguments that pass. */
const calls: Readonly<Record<string, (api: Api) => Promise<unknown>>> = {
  'auth.getAuthorizeUrl': (api) => api.auth.getAuthorizeUrl('github', { redirectUri: 'http://127.0.0.1:1/callback' }),
  'user.get': (api) => api.user.get(),
  'plans.list': (api) => api.plans.list(),
  'checkout.create': (api) => api.checkout.create({ priceId: 'p', region: 'iad' }),
  'checkout.get': (api) => api.checkout.get('s'),
  'tenants.list': (api) => api.tenants.list(),
  'tenants.get': (api) => api.tenants.get('t'),
  'tenants.getStatus': (api) => api.tenants.getStatus('t'),
  'tenants.getCredentials': (api) => api.tenants.getCredentials('/api/v1/tenants/t/credentials/c'),
  'tenants.getRegistryToken': (api) => api.tenants.getRegistryToken('t'),
  'tenants.deploy': (api) => api.tenants.deploy('t', { image: 'i' }),
  'tenants.rotateCredentials': (api) => api.tenants.rotateCredentials('t'),
  'tenants.delete': (api) => api.tenants.delete('t'),
  'domains.get': (api) => api.domains.get('t'),
  'secrets.list': (api) => api.secrets.list('t'),
};

/** Names that answers have, and names that should never become members of anything. */
const name = fc.constantFrom(
  'id',
  'name',
  'data',
  'status',
  'user',
  'tenants',
  'message',
  'keys',
  'app_url',
  'error',
  'code',
  'database_url',
  'dns_instructions',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'then',
);
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom(null, true, -1, 0.5, Infinity, '', 'x'.repeat(5_000), '\u0000', '\ud800', '2026-01-01T00:00:00Z'),
    fc.string(),
    fc.integer(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(name, fc.string()), tie('value'), { maxKeys: 6 }),
  ),
})).value;

// Many runs on a busy computer; a hang is longer.
const patience = { timeout: 300_000 };

const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
const wide = `[${'{"id":"x","name":"y"},'.repeat(20_000)}{}]`;
const text = fc.oneof(
  fc.string(),
  value.map((json) => JSON.stringify(json) ?? ''),
  fc.tuple(value, fc.nat(50)).map(([json, cut]) => (JSON.stringify(json) ?? '').slice(0, -cut - 1)),
  fc.constantFrom(deep, wide, '['.repeat(100_000), '{"data":{"__proto__":{"polluted":true}}}', '\ufeffnull'),
);
const status = fc.constantFrom(200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 409, 418, 429, 500, 503);
const header = fc.record(
  {
    'x-request-id': fc.constantFrom('r', 'x'.repeat(10_000)),
    'retry-after': fc.constantFrom('0', '-1', 'NaN', '1e9', 'Thu, 01 Jan 1970 00:00:00 GMT', '9'.repeat(50)),
    'content-type': fc.constantFrom('application/json', 'text/event-stream', 'x/y'),
  },
  { requiredKeys: [] },
);

const unpolluted = (): void => {
  expect('polluted' in {}).toBe(false);
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
};

test.each(Object.entries(calls))(
  '%s: any answer is a value or one named error without the token',
  patience,
  async (_, call) => {
    await fc.assert(
      fc.asyncProperty(status, header, text, async (code, headers, body) => {
        const empty = code === 204 || code === 301;
        const fetch = async (): Promise<Response> =>
          new Response(empty ? null : body, { status: code, headers: headers as Record<string, string> });
        const api = createCloudApiClient({ environment: 'local', token: 'planted-token', retry: 0, fetch });
        try {
          await call(api);
        } catch (error) {
          if (!isCloudApiError(error)) throw error;
          expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('planted-token');
          expect(error.message.length).toBeLessThan(1_000);
        }
        unpolluted();
      }),
      { numRuns: 40 },
    );
  },
);

test('any stream is events, an end or one named error', patience, async () => {
  const line = fc.oneof(
    fc.string(),
    value.map((json) => `data: ${JSON.stringify(json)}`),
    fc.constantFrom(
      'event: provisioning',
      'event: message',
      'id: 1',
      'id: x',
      'retry: 0',
      'retry: x',
      ':',
      '',
      '\u0000',
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), async (lines) => {
      const body = `${lines.join('\n')}\n\nevent: provisioning\ndata: ${deep}\n\n${sse(99_999, 'tenant_ready')}`;
      const fetch = async (): Promise<Response> =>
        new Response(body, { headers: { 'content-type': 'text/event-stream' } });
      const api = createCloudApiClient({ environment: 'local', fetch });
      let events = 0;
      for await (const event of api.tenants.events('t', { reconnectDelays: [] })) {
        expect(typeof event.eventType).toBe('string');
        events += 1;
      }
      expect(events).toBeGreaterThan(0);
      unpolluted();
    }),
    { numRuns: 40 },
  );
});

test('any identifier is one path segment or refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (id) => {
      let asked = '';
      const fetch = async (url: string | URL | Request): Promise<Response> => {
        asked = url instanceof Request ? url.url : url.toString();
        return Response.json({ data: { status: 'running' } });
      };
      const outcome = await createCloudApiClient({ environment: 'local', fetch })
        .tenants.getStatus(id)
        .catch((error: unknown) => error);
      if (asked === '') expect(outcome).toMatchObject({ code: 'SP_API_INVALID_REQUEST' });
      else expect(new URL(asked).pathname).toMatch(/^\/api\/v1\/tenants\/[^/]+\/status$/);
    }),
  );
});

test('every call of the contract that reads something is among those above, or takes the same way', () => {
  for (const path of Object.keys(calls)) {
    const [resource = '', verb = ''] = path.split('.');
    expect(Object.hasOwn((contract as Record<string, object>)[resource] ?? {}, verb), path).toBe(true);
  }
});
