import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createRelease } from '../src/tenants/deploys.ts';
import { readSecrets, setSecrets } from '../src/tenants/secrets.ts';
import { baseUrl, digest, type Edge, failure, startEdge } from './edge.ts';

let edge: Edge;
let token: string;
let tenantId: string;
beforeAll(async () => {
  edge = await startEdge({ deployPatienceMs: 100 });
  ({ token } = await edge.login('owner@example.com'));
});
beforeEach(async () => {
  ({ tenantId } = await edge.buy(token));
});
afterAll(() => edge.stop());

const platform = {
  JWT_SECRET: 'jwt-secret-value',
  DATABASE_URL: 'postgresql://sp:db-password@10.0.0.1/sp',
  EXTERNAL_DATABASE_URL: 'postgresql://sp:db-password@127.0.0.1:5432/sp',
  SYNC_TOKEN: 'sync-token-value',
};

async function become(state: string, facts: { failure?: string } = {}): Promise<void> {
  await edge.store.pool.query('update tenants set state = $2, failure = $3 where id = $1', [
    tenantId,
    state,
    facts.failure ?? null,
  ]);
}

async function provision(): Promise<void> {
  await setSecrets(edge, { tenantId, kind: 'platform', secrets: platform });
  await become('awaiting_deploy');
}

async function status(): Promise<Record<string, string>> {
  const response = await edge.call(`/api/v1/tenants/${tenantId}/status`, { token });
  return ((await response.json()) as { data: Record<string, string> }).data;
}

const image = () => `127.0.0.1:7300/systemprompt-images:tenant-${tenantId}`;

function deploy(json: object): Promise<Response> {
  return edge.call(`/api/v1/tenants/${tenantId}/deploy`, { method: 'POST', token, json });
}

test('the credentials link is there once there are credentials, and gives them once', async () => {
  expect(await status()).toEqual({ status: 'provisioning' });
  await provision();
  const { status: state, secrets_url: url = '' } = await status();
  expect(state).toBe('awaiting_deploy');
  expect(url.startsWith(`${baseUrl}/api/v1/tenants/${tenantId}/credentials/`)).toBe(true);

  expect((await edge.call(url)).status).toBe(401);
  const wrong = await edge.call(`${url.slice(0, -1)}${url.endsWith('A') ? 'B' : 'A'}`, { token });
  expect(await failure(wrong)).toMatchObject({ status: 404, code: 'credentials_not_found' });

  const first = await edge.call(url, { token });
  expect(await first.json()).toMatchObject({
    jwt_secret: platform.JWT_SECRET,
    internal_database_url: platform.DATABASE_URL,
    database_url: platform.EXTERNAL_DATABASE_URL,
    sync_token: platform.SYNC_TOKEN,
  });
  expect(await failure(await edge.call(url, { token }))).toMatchObject({
    status: 410,
    code: 'credentials_already_used',
  });
  expect(await status()).toEqual({ status: 'awaiting_deploy' });
  expect(edge.logged.join('')).not.toContain(url.split('/').at(-1));
});

test('nothing but that link shows the database password', async () => {
  await provision();
  const texts = await Promise.all(
    ['/api/v1/auth/me', '/api/v1/tenants', `/api/v1/tenants/${tenantId}`].map(async (path) =>
      (await edge.call(path, { token })).text(),
    ),
  );
  expect(texts[2]).toContain('postgresql://sp:***@127.0.0.1:5432/sp');
  for (const text of texts) expect(text).not.toContain('db-password');
});

test('the status tells why a tenant failed, and where it runs', async () => {
  await become('provision_failed', { failure: 'no room in iad' });
  expect(await status()).toEqual({ status: 'provision_failed', message: 'no room in iad' });
  await become('running');
  expect((await status())['app_url']).toMatch(/^http:\/\/tenant-[a-z2-7]{4}-[0-9a-f]{6}\.localhost:7300$/);
});

test('a registry token is for tenants that can be deployed', async () => {
  const ask = () => edge.call(`/api/v1/tenants/${tenantId}/registry-token`, { token });
  expect(await failure(await ask())).toMatchObject({ status: 409, code: 'tenant_state_conflict' });
  await provision();
  expect(await (await ask()).json()).toMatchObject({ data: { tag: `tenant-${tenantId}`, token: 'registry-token' } });
});

test('a deploy answers with how the release came out', async () => {
  await provision();
  const finished: Record<string, unknown> = {};
  const started: string[] = [];
  edge.ports.workflows.startDeploy = async (releaseId) => void started.push(releaseId);
  edge.ports.workflows.waitForRelease = async (releaseId, { timeoutMs }) => {
    expect(timeoutMs).toBe(100);
    const { rows } = await edge.store.pool.query('update releases set status = $2 where id = $1 returning *', [
      releaseId,
      finished['status'],
    ]);
    return { ...rows[0], ...finished };
  };
  const answers: unknown[] = [];
  for (const end of [{ status: 'running' }, { status: 'failed', failure: 'exit code 1' }, { status: 'deploying' }]) {
    Object.assign(finished, end);
    answers.push(await (await deploy({ image: image(), digest })).json());
    if (end.status !== 'deploying') await become('running');
  }
  expect(answers).toEqual([
    { data: { status: 'running', app_url: expect.stringContaining('http://tenant-'), release_id: started[0], digest } },
    { data: { status: 'failed', message: 'exit code 1', release_id: started[1], digest } },
    { data: { status: 'deploying', release_id: started[2], digest } },
  ]);

  const again = await failure(await deploy({ image: image() }));
  expect(again).toMatchObject({ status: 409, code: 'deploy_in_progress' });
  expect(again.message).toContain(started[2]);
});

test.each([
  ['another image', () => ({ image: '127.0.0.1:7300/systemprompt-images:tenant-other' }), 400, 'image_mismatch'],
  ['a longer image', () => ({ image: `${image()}@${digest}` }), 400, 'image_mismatch'],
  ['another digest', () => ({ image: image(), digest: `sha256:${'cd'.repeat(32)}` }), 409, 'digest_mismatch'],
  ['a digest that is none', () => ({ image: image(), digest: 'latest' }), 400, 'invalid_request'],
])('a deploy of %s is refused and changes nothing', async (_, body, expectedStatus, code) => {
  await provision();
  expect(await failure(await deploy(body()))).toMatchObject({ status: expectedStatus, code });
  expect((await status())['status']).toBe('awaiting_deploy');
});

test('a deploy before the push or before provisioning is refused', async () => {
  expect(await failure(await deploy({ image: image() }))).toMatchObject({ code: 'tenant_state_conflict' });
  await provision();
  const { resolve } = edge.ports.images;
  edge.ports.images.resolve = async () => undefined;
  expect(await failure(await deploy({ image: image() }))).toMatchObject({ status: 409, code: 'image_not_pushed' });
  edge.ports.images.resolve = resolve;
});

test('a release that the store opened elsewhere is a conflict too', async () => {
  await provision();
  await createRelease(edge, { tenantId, image: image(), digest });
  expect(await failure(await deploy({ image: image() }))).toMatchObject({ status: 409, code: 'deploy_in_progress' });
});

const secretsPath = () => `/api/v1/tenants/${tenantId}/secrets`;

test('secrets are set, listed by name and removed; their values never come back', async () => {
  const secrets = { OPENAI_API_KEY: 'sk-planted-value', my_camelCase_KEY: 'two' };
  for (const method of ['POST', 'PUT']) {
    const response = await edge.call(secretsPath(), { method, token, json: { secrets } });
    expect([response.status, await response.text()]).toEqual([204, '']);
  }
  const listed = await (await edge.call(secretsPath(), { token })).text();
  expect(JSON.parse(listed)).toEqual({ keys: ['OPENAI_API_KEY', 'my_camelCase_KEY'] });
  expect(await readSecrets(edge, { tenantId, kind: 'user' })).toEqual(secrets);

  for (let repeat = 0; repeat < 2; repeat += 1) {
    const gone = await edge.call(`${secretsPath()}/OPENAI_API_KEY`, { method: 'DELETE', token });
    expect(gone.status).toBe(204);
  }
  expect(await (await edge.call(secretsPath(), { token })).json()).toEqual({ keys: ['my_camelCase_KEY'] });
  expect(edge.logged.join('')).not.toContain('sk-planted-value');
});

test('names that the platform manages are refused, with everything that came with them', async () => {
  const json = { secrets: { FINE: 'x', FLY_APP_NAME: 'mine' } };
  const refused = await edge.call(secretsPath(), { method: 'POST', token, json });
  expect(await failure(refused)).toMatchObject({ status: 400, code: 'system_managed_secret' });
  expect(await (await edge.call(secretsPath(), { token })).json()).toEqual({ keys: [] });
});

test.each([
  ['a value that is no text', { secrets: { PLANTED: { inner: 'sk-planted' } } }, /^body\.secrets\.PLANTED: /],
  ['a name that is no variable', { secrets: { 'not-a-name': 'sk-planted' } }, /^body\.secrets\.not-a-name: /],
  ['an unknown member', { secrets: {}, dryRun: 'sk-planted' }, /^body: unknown member dry_run\.$/],
  ['no secrets', {}, /^body\.secrets: /],
])('%s is refused by name and without its value', async (_, json, message) => {
  const answer = await failure(await edge.call(secretsPath(), { method: 'POST', token, json }));
  expect(answer).toMatchObject({ status: 400, code: 'invalid_request', message: expect.stringMatching(message) });
  expect(answer.message).not.toContain('sk-planted');
});

test('bodies that are too large, no JSON, or of another type are refused', async () => {
  const send = (body: string, type = 'application/json') =>
    edge.app.fetch(
      new Request(`${baseUrl}${secretsPath()}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': type },
        body,
      }),
    );
  const large = JSON.stringify({ secrets: { A: 'x'.repeat(1_048_576) } });
  expect(await failure(await send(large))).toMatchObject({ status: 413, code: 'body_too_large' });
  expect(await failure(await send('{"secrets": sk-planted'))).toEqual({
    status: 400,
    code: 'invalid_request',
    message: 'body: is not valid JSON.',
  });
  expect(await failure(await send('{}', 'text/plain'))).toMatchObject({ status: 415, code: 'unsupported_media_type' });
});

test('what is not there is 404, and what breaks is 500 without its reason', async () => {
  expect(await failure(await edge.call('/api/v1/nothing', { token }))).toMatchObject({
    status: 404,
    code: 'not_found',
  });
  await provision();
  edge.ports.images.issueToken = () => Promise.reject(new Error('sk-planted-reason'));
  const broken = await failure(await edge.call(`/api/v1/tenants/${tenantId}/registry-token`, { token }));
  expect(broken).toMatchObject({ status: 500, code: 'internal' });
  expect(broken.message).not.toContain('planted');
  expect(edge.logged.join('')).toContain('request failed');
});

test('the registry, health and the front page answer', async () => {
  for (const path of ['/v2', '/v2/', '/v2/systemprompt-images/blobs/uploads/']) {
    expect(await (await edge.call(path)).text()).toBe('registry');
  }
  expect(await (await edge.call('/healthz')).json()).toEqual({ status: 'ok' });
  expect(await (await edge.call('/', { headers: { accept: 'text/html' } })).text()).toContain('Management API');
});
