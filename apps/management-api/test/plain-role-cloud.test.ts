import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalCloud, removeLocalCloud, startLocalCloud } from '../src/index.ts';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/postgres/embedded.ts';
import { type CloudUser, loginTo } from './cloud-user.ts';
import { databaseAt, hold, makePlainRole, run } from './plain-role.ts';

// The documented role of the operator's pages, with somebody connected to every database.

let folder: string;
let server: Awaited<ReturnType<typeof startEmbeddedPostgres>>;
let cloud: LocalCloud;
let ada: CloudUser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-plain-role-'));
  server = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  const databaseUrl = await makePlainRole(server.url);
  cloud = await startLocalCloud({ dataDir: join(folder, 'cloud'), port: 0, machines: 'process', databaseUrl });
  ada = await loginTo(cloud.url, 'ada@example.com');
});
afterAll(async () => {
  await cloud?.stop();
  await removeLocalCloud({ dataDir: join(folder, 'cloud') });
  await server?.stop();
  await removeEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  await rm(folder, { recursive: true, force: true });
});

type Rotated = Record<'status' | 'message' | 'internal_database_url' | 'external_database_url', string>;

async function buy(name: string) {
  const { tenantId } = await ada.buyTenant(name);
  const path = `/api/v1/tenants/${tenantId}`;
  return {
    tenantId,
    path,
    setAccess: (enabled: boolean) =>
      ada.call<{ database_url: string }>(`${path}/external-db-access`, { method: 'PUT', json: { enabled } }),
    rotate: () => ada.call<Rotated>(`${path}/rotate-credentials`, { method: 'POST' }),
    isOpen: async () => (await ada.call<{ external_db_access: boolean }>(path)).external_db_access,
  };
}

const accepts = async (url: string): Promise<boolean> =>
  await run(url, 'select 1').then(
    () => true,
    () => false,
  );

test('what an owner does to a tenant works while somebody is connected', async () => {
  const { path, setAccess, rotate } = await buy('busy');
  const first = await hold((await setAccess(true)).database_url);
  await setAccess(false);
  await first.ended;
  const { database_url: url } = await setAccess(true);
  const second = await hold(url);
  await ada.call(path, { method: 'PATCH', json: { external_db_access: false } });
  await second.ended;
  await ada.call(path, { method: 'PATCH', json: { external_db_access: true } });

  const [outside, before] = [await hold(url), await rotate()];
  expect(before).toMatchObject({ status: 'success' });
  await outside.ended;
  const inside = await hold(before.internal_database_url);
  const after = await rotate();
  expect(after).toMatchObject({ status: 'success' });
  await inside.ended;
  const last = await hold(after.internal_database_url);
  await ada.call(path, { method: 'DELETE' });
  await last.ended;
  const { username } = new URL(url);
  expect(await run(server.url, `select rolname from pg_roles where rolname ~ '^${username.slice(0, 15)}'`)).toEqual([]);
});

test('access from outside that cannot be ended is not told as off', async () => {
  const { tenantId, path, setAccess, isOpen } = await buy('held');
  const { database_url: url } = await setAccess(true);
  const { client } = await hold(url);
  const { username } = new URL(url);
  // Somebody with more rights has taken the role away.
  await run(server.url, `revoke ${username} from cloud_admin cascade`);
  for (const request of [
    { url: `${path}/external-db-access`, init: { method: 'PUT', body: '{"enabled":false}' } },
    { url: path, init: { method: 'PATCH', body: '{"external_db_access":false,"name":"renamed"}' } },
  ]) {
    const answer = await ada.fetch(request.url, request.init);
    expect([answer.status, await answer.json()]).toMatchObject([409, { error: { code: 'operation_failed' } }]);
    expect(await isOpen()).toBe(true);
  }
  expect(await ada.call(path)).toMatchObject({ id: tenantId, name: 'held' });
  // As it is told: who is connected stays so.
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  expect(await accepts(url)).toBe(true);

  await run(server.url, `grant ${username} to cloud_admin with admin option`);
  const ended = new Promise<void>((done) => client.on('end', () => done()));
  await setAccess(false);
  await ended;
  expect(await isOpen()).toBe(false);
});

test('a rotation that cannot end the old password says that both work', async () => {
  const { setAccess, rotate } = await buy('both');
  const { database_url: old } = await setAccess(true);
  const login = new URL(old).username.replace(/_ext$/, '');
  await run(server.url, `revoke ${login} from cloud_admin cascade`);
  const rotated = await rotate();
  expect(rotated).toMatchObject({
    status: 'failed',
    message: expect.stringMatching(/^The new password works, and the old one still does: /) as string,
  });
  for (const url of [old, rotated.external_database_url, rotated.internal_database_url]) {
    expect(await accepts(url), url.replace(/:[^:@]+@/, '@')).toBe(true);
  }
  await run(server.url, `grant ${login} to cloud_admin with admin option`);
  const again = await rotate();
  expect(again).toMatchObject({ status: 'success' });
  expect(await accepts(old)).toBe(false);
  expect(await accepts(again.internal_database_url)).toBe(true);
});

test('a tenant whose role cannot be dropped is deleted all the same', async () => {
  const [mine, theirs] = [await buy('mine'), await buy('theirs')];
  await run(server.url, 'create database meadow', 'grant connect on database meadow to public');
  await run(databaseAt(server.url, 'meadow'), 'grant create, usage on schema public to public');
  const [url, other] = await Promise.all(
    [mine, theirs].map(async ({ setAccess }) => databaseAt((await setAccess(true)).database_url, 'meadow')),
  );
  await run(url ?? '', 'create table public.grass ()', 'grant select on public.grass to public');
  await run(other ?? '', 'create view public.cow as select * from public.grass');
  await run(databaseAt(url ?? '', 'postgres'), 'select lo_create(0)');
  const held = await hold(url ?? '');
  await ada.call(mine.path, { method: 'DELETE' });
  await held.ended;
  expect((await ada.fetch(mine.path)).status).toBe(404);
  expect(await accepts(url ?? '')).toBe(false);
  const { username } = new URL(url ?? '');
  const roles = `select rolname, rolcanlogin from pg_roles where rolname ~ '^${username.slice(0, 15)}'`;
  expect(await run(server.url, roles)).toEqual([{ rolname: username, rolcanlogin: false }]);
  expect(await run(server.url, 'select oid from pg_largeobject_metadata')).toEqual([]);
});
