import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createManagementApi } from '../src/api.ts';
import { type LocalCloud, removeLocalCloud, startLocalCloud } from '../src/index.ts';
import { baseUrl, type Edge, startEdge } from './edge.ts';

let edge: Edge;
let cloud: LocalCloud;
let dataDir: string;
beforeAll(async () => {
  edge = await startEdge();
  dataDir = await mkdtemp(join(tmpdir(), 'sp-own-hosts-'));
  cloud = await startLocalCloud({ dataDir, port: 0, machines: 'process' });
});
afterAll(async () => {
  await cloud.stop();
  await removeLocalCloud({ dataDir });
  await rm(dataDir, { recursive: true, force: true });
  await edge.stop();
});

/** What a browser is answered that believes the local cloud to be a host of this name. */
function ask(host: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(cloud.url);
    request({ host: hostname, port, path, headers: { host: `${host}:${port}` } }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    })
      .on('error', reject)
      .end();
  });
}

test('a page whose name was made to mean this computer gets no login, no registry and no reference', async () => {
  const login = `/api/v1/auth/oauth/github?redirect_uri=${encodeURIComponent(`${cloud.url}/api/v1/checkout/plans`)}`;
  for (const path of [login, '/sandbox/identity', '/v2/', '/docs', '/api/v1/tenants', '/.well-known/jwks.json']) {
    const { status, body } = await ask('evil.example', path);
    expect(status, path).toBe(421);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'misdirected_request' } });
  }
  for (const host of ['localhost', 'LocalHost.', '127.0.0.1', '127.0.0.2', '[::1]']) {
    expect((await ask(host, '/docs')).status, host).toBe(200);
  }
  expect((await ask('api', '/healthz')).status).toBe(200);
});

test('without sandbox logins any name will do: the token decides', async () => {
  const { identity: _, ...sandbox } = edge.options.sandbox ?? {};
  const api = createManagementApi(edge.ports, { ...edge.options, sandbox });
  const strange = (fetch: typeof api.fetch): Promise<Response> =>
    Promise.resolve(fetch(new Request(`${baseUrl}/docs`, { headers: { host: 'api.internal' } })));
  expect((await strange(api.fetch)).status).toBe(200);
  expect((await strange(edge.app.fetch)).status).toBe(421);
});
