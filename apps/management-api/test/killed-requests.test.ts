import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type EmbeddedPostgres, removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/postgres/embedded.ts';
import { type CloudUser, loginTo } from './cloud-user.ts';
import { freePort } from './free-port.ts';
import { pushMachineImage } from './machine-image.ts';
import { killPrograms, type Served, startServe } from './operator-program.ts';

// A process that is killed after what a request did, and before its answer was kept: the same request again, with the
// same key, must find what came of it.

// Whole processes, of which a busy computer starts one in many seconds.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let folder: string;
let postgres: EmbeddedPostgres;
let admin: Client;
let env: Record<string, string>;
let service: Served;
let ada: CloudUser;
let tenantId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-killed-requests-'));
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  admin = new Client({ connectionString: postgres.url });
  await admin.connect();
  const port = await freePort();
  env = {
    SP_API_BASE_URL: `http://127.0.0.1:${port}`,
    SP_API_LISTEN_HOST: '127.0.0.1',
    SP_API_PORT: String(port),
    SP_API_DRAIN_SECONDS: '0',
    DATABASE_URL: postgres.url,
    SP_API_VAULT_KEY: randomBytes(32).toString('base64'),
    SP_API_REGISTRY_DIRECTORY: join(folder, 'registry'),
    SP_API_MACHINES_DIRECTORY: join(folder, 'machines'),
    SP_API_TENANT_DOMAIN: `localhost:${port}`,
    SP_API_MACHINES: 'process',
    SP_API_IDENTITY: 'sandbox',
    SP_API_BILLING: 'sandbox',
  };
  service = await startServe(env, ['--migrate']);
  ada = await loginTo(service.url, 'ada@example.com');
  ({ tenantId } = await ada.buyTenant('shop'));
});
afterAll(async () => {
  service?.child.kill('SIGTERM');
  await service?.ended;
  killPrograms();
  await admin?.end();
  await postgres?.stop();
  await removeEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  await rm(folder, { recursive: true, force: true });
});

async function rows<T>(text: string): Promise<T[]> {
  return (await admin.query(text)).rows as T[];
}

/** Kills the process while the answer to a request is being kept, and makes the same request of the next process. */
async function killedAndAgain(path: string, init: { method: string; json?: unknown }): Promise<Response> {
  const key = randomBytes(8).toString('hex');
  const request = () =>
    ada.fetch(path, {
      method: init.method,
      headers: { 'idempotency-key': key },
      ...(init.json === undefined ? {} : { body: JSON.stringify(init.json) }),
    });
  await admin.query(`
    create function hold_answer() returns trigger language plpgsql as
      $$ begin perform pg_sleep(600); return new; end $$;
    create trigger hold_answer before update on idempotency_keys
      for each row when (new.status = 'answered') execute function hold_answer();
  `);
  const first = request().catch(() => undefined);
  const held = "select pid from pg_stat_activity where wait_event = 'PgSleep' and query like '%idempotency_keys%'";
  await expect.poll(async () => (await rows(held)).length, { timeout: 60_000 }).toBe(1);
  service.child.kill('SIGKILL');
  await service.ended;
  await first;
  // What its connection still does must come to nothing.
  await admin.query(`select pg_terminate_backend(pid) from (${held}) as holders`);
  await expect.poll(() => rows(held)).toEqual([]);
  await admin.query('drop trigger hold_answer on idempotency_keys; drop function hold_answer()');
  service = await startServe(env);
  let answer = await request();
  // The database hears of the end of a process from the operating system.
  while (answer.status === 409 && (await answer.clone().text()).includes('idempotency_key_in_use')) {
    answer = await request();
  }
  expect(answer.headers.get('idempotency-replayed')).toBeNull();
  const replayed = await request();
  expect(replayed.headers.get('idempotency-replayed')).toBe('true');
  expect(await replayed.text()).toBe(await answer.clone().text());
  return answer;
}

const operations = (kind: string) =>
  rows<{ status: string }>(`select status from tenant_operations where kind = '${kind}'`);

test('a checkout is opened once', async () => {
  const before = await rows('select id from checkout_sessions');
  const json = { price_id: 'pri_sandbox_starter', region: 'iad' };
  const answer = await killedAndAgain('/api/v1/checkout', { method: 'POST', json });
  const after = await rows<{ id: string; transaction_id: string }>(
    'select * from checkout_sessions order by created_at',
  );
  expect(after).toHaveLength(before.length + 1);
  const { id, transaction_id } = after.at(-1) ?? {};
  expect(await answer.json()).toMatchObject({ checkout_session_id: id, transaction_id });
  expect(await rows('select 1 from sandbox_transactions')).toHaveLength(before.length + 1);
});

test('a deploy makes one release', async () => {
  const login = await ada.call<Record<'registry' | 'repository' | 'tag' | 'username' | 'token', string>>(
    `/api/v1/tenants/${tenantId}/registry-token`,
  );
  const images = { issueToken: async () => login };
  const directory = join(folder, 'images');
  const digest = await pushMachineImage({ images, tenantId, directory });
  const json = { image: `${login.registry}/${login.repository}:${login.tag}`, digest };
  const answer = await killedAndAgain(`/api/v1/tenants/${tenantId}/deploy`, { method: 'POST', json });
  const releases = await rows<{ id: string; status: string }>('select id, status from releases');
  expect(releases).toEqual([{ id: expect.any(String), status: 'running' }]);
  expect(await answer.json()).toMatchObject({ data: { status: 'running', release_id: releases[0]?.id } });
});

test('a database password is changed once', async () => {
  const answer = await killedAndAgain(`/api/v1/tenants/${tenantId}/rotate-credentials`, { method: 'POST' });
  expect(await answer.json()).toMatchObject({ status: 'success' });
  expect(await operations('rotate_credentials')).toEqual([{ status: 'done' }]);
});

test('a deletion that is done is answered as one, though the tenant is gone', async () => {
  const answer = await killedAndAgain(`/api/v1/tenants/${tenantId}`, { method: 'DELETE' });
  expect(answer.status).toBeLessThan(300);
  expect(await operations('delete')).toEqual([{ status: 'done' }]);
});
