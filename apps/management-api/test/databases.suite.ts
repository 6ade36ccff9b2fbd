import { inspect } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPostgresDatabases } from '../src/databases/postgres-databases.ts';
import type { Databases } from '../src/ports/databases.ts';
import { databaseAt, hold as open, run as query } from './plain-role.ts';

/** A server to hold the suite to. */
export interface DatabasesServer {
  /** Of the role that the driver uses. */
  readonly adminUrl: string;
  close(): Promise<void>;
}

/** What every server for tenants' databases must do. */
export function describeDatabases(name: string, start: () => Promise<DatabasesServer>): void {
  describe(name, () => {
    suite(start);
  });
}

function suite(start: () => Promise<DatabasesServer>): void {
  let started: DatabasesServer;
  let databases: Databases;
  const server = () => ({ databases, adminUrl: started.adminUrl });
  beforeAll(async () => {
    started = await start();
    databases = createPostgresDatabases({ adminUrl: started.adminUrl });
  });
  afterAll(() => started.close());

  test('making a database again changes nothing, and the password given last is the one that works', async () => {
    const { databases } = server();
    const request = { databaseName: 'sp_0123456789ab', password: 'p@ss/w:rd', machineHost: '127.0.0.1' };
    const made = await Promise.all([1, 2, 3].map(() => databases.create(request)));
    const [{ internalUrl, externalUrl } = { internalUrl: '', externalUrl: '' }] = made;
    expect(made).toEqual([made[0], made[0], made[0]]);
    expect(new URL(externalUrl).hostname).toBe('127.0.0.1');

    await query(internalUrl, 'create table kept as select 1 as one');
    await databases.create({ ...request, password: 'second' });
    await expect(query(internalUrl, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    const url = internalUrl.replace(/:[^:@]+@/, ':second@');
    expect(await query(url, 'select one from kept')).toEqual([{ one: 1 }]);
    expect(await query(url, `select tableowner from pg_tables where tablename = 'kept'`)).toEqual([
      { tableowner: 'sp_0123456789ab' },
    ]);
  });

  test("a tenant's role enters no other database and makes none", async () => {
    const { databases } = server();
    const password = 'secret';
    const mine = await databases.create({ databaseName: 'sp_aaaaaaaaaaaa', password, machineHost: '127.0.0.1' });
    await databases.create({ databaseName: 'sp_bbbbbbbbbbbb', password, machineHost: '127.0.0.1' });
    const other = mine.internalUrl.replace(/[^/]+$/, 'sp_bbbbbbbbbbbb');
    await expect(query(other, 'select 1')).rejects.toMatchObject({ code: '42501' });
    await expect(query(mine.internalUrl, 'create database mine')).rejects.toMatchObject({ code: '42501' });
    await expect(query(mine.internalUrl, 'create role mine')).rejects.toMatchObject({ code: '42501' });
    const owner = mine.internalUrl.replace('sp_aaaaaaaaaaaa_app', 'sp_aaaaaaaaaaaa');
    await expect(query(owner, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  test("a tenant's role enters none of the control plane's databases", async () => {
    const { databases, adminUrl } = server();
    const own = new URL(adminUrl).pathname.slice(1);
    await query(adminUrl, `create database ${own}_dbos`);
    await databases.prepare();
    await databases.prepare();
    const request = { databaseName: 'sp_fefefefefefe', password: 'x', machineHost: '127.0.0.1' };
    const { internalUrl } = await databases.create(request);
    for (const name of [own, `${own}_dbos`]) {
      const elsewhere = internalUrl.replace(/[^/]+$/, name);
      await expect(query(elsewhere, 'select 1')).rejects.toMatchObject({ code: '42501' });
      expect(await query(adminUrl.replace(/[^/]+$/, name), 'select 1 as one')).toEqual([{ one: 1 }]);
    }
    expect(databases.urls(request)).toEqual(await databases.create(request));
  });

  test('the machine gets the host by which it reaches the server', async () => {
    const { databases } = server();
    const request = { databaseName: 'sp_cccccccccccc', password: 'x', machineHost: 'host.docker.internal' };
    const { internalUrl, externalUrl } = await databases.create(request);
    expect(new URL(internalUrl).host).toBe(`host.docker.internal:${new URL(server().adminUrl).port}`);
    expect(new URL(externalUrl).host).toBe(`127.0.0.1:${new URL(server().adminUrl).port}`);
    await expect(databases.create({ ...request, databaseName: 'postgres' })).rejects.toThrow(/Not a tenant/);
  });

  test('two login roles reach the same tables; closing one ends its connections, and dropping leaves nothing', async () => {
    const { databases } = server();
    const request = { databaseName: 'sp_dddddddddddd', machineHost: '127.0.0.1' };
    const { internalUrl: app } = await databases.create({ ...request, password: 'first' });
    const { internalUrl: alt } = await databases.create({ ...request, password: 'second', login: 'alt' });
    await query(app, 'create table kept as select 1 as one');
    expect(await query(alt, 'select one from kept')).toEqual([{ one: 1 }]);
    await query(alt, 'alter table kept add column two int');
    expect(await query(app, 'select one, two from kept')).toEqual([{ one: 1, two: null }]);

    const open = new Client({ connectionString: app });
    const ended = new Promise((done) => open.on('error', done));
    await open.connect();
    for (const _ of [1, 2]) await databases.disableLogin({ databaseName: request.databaseName, login: 'app' });
    await ended;
    await expect(query(app, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    expect(await query(alt, 'select one from kept')).toEqual([{ one: 1 }]);
    // A role that was closed is opened by making it again.
    await databases.create({ ...request, password: 'third' });
    expect(await query(app.replace(':first@', ':third@'), 'select 1 as one')).toEqual([{ one: 1 }]);

    for (const _ of [1, 2]) await databases.drop(request.databaseName);
    await expect(query(alt, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    const roles = await query(server().adminUrl, `select rolname from pg_roles where rolname like 'sp_dddddddddddd%'`);
    expect(roles).toEqual([]);
    await expect(databases.drop('postgres')).rejects.toThrow(/Not a tenant/);
    await databases.disableLogin({ databaseName: request.databaseName, login: 'alt' });
  });

  test('access from outside has a role of its own: off ends it, and nothing else', async () => {
    const request = { databaseName: 'sp_eeeeeeeeeeee', password: 'inner' };
    const access = { ...request, login: 'app' } as const;
    // Nothing to let in yet.
    await databases.setExternalAccess({ ...access, enabled: true });
    const { internalUrl, externalUrl } = await databases.create({ ...request, machineHost: '127.0.0.1' });
    expect(externalUrl).not.toContain('inner');
    await expect(query(externalUrl, 'select 1')).rejects.toMatchObject({ code: '28P01' });

    for (const _ of [1, 2]) await databases.setExternalAccess({ ...access, enabled: true });
    await query(internalUrl, 'create table kept as select 1 as one');
    expect(await query(externalUrl, 'select one from kept')).toEqual([{ one: 1 }]);
    await query(externalUrl, 'create table made_outside ()');
    expect(await query(internalUrl, 'drop table made_outside')).toEqual([]);

    const outside = await open(externalUrl);
    const inside = await open(internalUrl);
    for (const _ of [1, 2]) await databases.setExternalAccess({ ...access, enabled: false });
    await outside.ended;
    await expect(query(externalUrl, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    expect((await inside.client.query('select one from kept')).rows).toEqual([{ one: 1 }]);
    expect(await query(internalUrl, 'select one from kept')).toEqual([{ one: 1 }]);
    await inside.client.end();
  });

  test('a rotation leaves no moment without a login that works, inside and outside', async () => {
    const databaseName = 'sp_ffffffffffff';
    const create = (login: 'app' | 'alt', password: string) =>
      databases.create({ databaseName, login, password, machineHost: '127.0.0.1' });
    const before = await create('app', 'first');
    await databases.setExternalAccess({ databaseName, login: 'app', password: 'first', enabled: true });
    const old = await open(before.internalUrl);
    // The machine of before goes on with its work, on the connection that it has and on new ones.
    const rotation = new AbortController();
    let answers = 0;
    const works = (async () => {
      while (!rotation.signal.aborted) {
        await old.client.query('select 1');
        await query(before.internalUrl, 'select 1');
        await query(before.externalUrl, 'select 1');
        answers += 1;
      }
    })();
    const after = await create('alt', 'second');
    await databases.setExternalAccess({ databaseName, login: 'alt', password: 'second', enabled: true });
    for (const url of [after.internalUrl, after.externalUrl]) await query(url, 'select 1');
    rotation.abort();
    await works;
    expect(answers).toBeGreaterThan(0);

    const fresh = await open(after.internalUrl);
    await databases.disableLogin({ databaseName, login: 'app' });
    await old.ended;
    for (const url of [before.internalUrl, before.externalUrl]) {
      await expect(query(url, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    }
    expect((await fresh.client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(await query(after.externalUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    await fresh.client.end();
  });

  test('a machine has its connections, and room for the one that replaces it', async () => {
    const databaseName = 'sp_111111111111';
    const create = (login: 'app' | 'alt') =>
      databases.create({ databaseName, login, password: login, machineHost: '127.0.0.1' });
    const [app, alt] = [await create('app'), await create('alt')];
    const clients = await Promise.all(Array.from({ length: 20 }, () => open(app.internalUrl)));
    await expect(open(app.internalUrl)).rejects.toMatchObject({ code: '53300' });
    clients.push(...(await Promise.all(Array.from({ length: 20 }, () => open(alt.internalUrl)))));
    await Promise.all(clients.map(({ client }) => client.end()));
  });

  test('what the server has is listed, and nothing of it that is not a tenant’s', async () => {
    const databaseName = 'sp_222222222222';
    const find = async () => (await databases.list()).find((found) => found.databaseName === databaseName);
    expect(await find()).toBeUndefined();
    await databases.create({ databaseName, password: 'x', machineHost: '127.0.0.1' });
    expect(await find()).toEqual({
      databaseName,
      exists: true,
      dropped: false,
      logins: ['app'],
      external: [],
      lingering: [],
    });
    await databases.setExternalAccess({ databaseName, login: 'app', password: 'x', enabled: true });
    expect(await find()).toEqual({
      databaseName,
      exists: true,
      dropped: false,
      logins: ['app'],
      external: ['app'],
      lingering: [],
    });
    await databases.create({ databaseName, password: 'x', login: 'alt', machineHost: '127.0.0.1' });
    await databases.disableLogin({ databaseName, login: 'app' });
    expect(await find()).toEqual({
      databaseName,
      exists: true,
      dropped: false,
      logins: ['alt'],
      external: [],
      lingering: [],
    });
    await databases.drop(databaseName);
    expect(await find()).toBeUndefined();
    expect((await databases.list()).every((found) => /^sp_[0-9a-f]{12}$/.test(found.databaseName))).toBe(true);
  });

  test('a session that outlives its login is listed until it has ended', async () => {
    const databaseName = 'sp_444444444444';
    const { internalUrl } = await databases.create({ databaseName, password: 'x', machineHost: '127.0.0.1' });
    const left = await open(internalUrl);
    // As a process leaves it that is killed between the two.
    await query(started.adminUrl, `alter role ${databaseName}_app nologin`);
    const find = async () => (await databases.list()).find((found) => found.databaseName === databaseName);
    expect(await find()).toMatchObject({ logins: [], lingering: ['app'] });
    await databases.disableLogin({ databaseName, login: 'app' });
    await left.ended;
    expect(await find()).toMatchObject({ logins: [], lingering: [] });
  });

  test("what a tenant's role made in a database that is open to all is dropped with it", async () => {
    await query(started.adminUrl, 'create database open_to_all');
    const elsewhere = databaseAt(started.adminUrl, 'open_to_all');
    const databaseName = 'sp_555555555555';
    for (const login of ['app', 'alt'] as const) {
      const { internalUrl } = await databases.create({ databaseName, password: 'x', login, machineHost: '127.0.0.1' });
      const there = databaseAt(internalUrl, 'open_to_all');
      const settings = 'alter default privileges grant select on tables to public';
      await query(there, 'select lo_create(0)', settings, `set role ${databaseName}`, 'select lo_create(0)');
    }
    const made = 'select oid from pg_largeobject_metadata';
    expect(await query(elsewhere, made)).toHaveLength(4);
    const others = await query(elsewhere, 'select lo_create(0)');
    expect(await databases.drop(databaseName)).toEqual({ keptRoles: [] });
    expect(await query(elsewhere, made)).toHaveLength(others.length);
    expect((await databases.list()).map((found) => found.databaseName)).not.toContain(databaseName);
  });

  test('a role that cannot be dropped is kept, closed and told of, and everything else goes', async () => {
    await query(started.adminUrl, 'create database meadow');
    const elsewhere = databaseAt(started.adminUrl, 'meadow');
    await query(elsewhere, 'grant create, usage on schema public to public');
    const [databaseName, other] = ['sp_666666666666', 'sp_777777777777'];
    const create = async (name: string) =>
      (await databases.create({ databaseName: name, password: 'x', machineHost: '127.0.0.1' })).internalUrl;
    const [mine, theirs] = [await create(databaseName), await create(other)];
    await query(databaseAt(mine, 'meadow'), 'create table public.grass ()', 'grant select on public.grass to public');
    await query(databaseAt(theirs, 'meadow'), 'create view public.cow as select * from public.grass');
    const held = await open(databaseAt(mine, 'meadow'));

    const kept = { keptRoles: [`${databaseName}_app`] };
    for (const _ of [1, 2]) expect(await databases.drop(databaseName)).toEqual(kept);
    await held.ended;
    await expect(query(databaseAt(mine, 'meadow'), 'select 1')).rejects.toMatchObject({ code: '28P01' });
    const find = async () => (await databases.list()).find((found) => found.databaseName === databaseName);
    expect(await find()).toMatchObject({ exists: false, logins: [], external: [], lingering: [] });

    await query(databaseAt(theirs, 'meadow'), 'drop view public.cow');
    expect(await databases.drop(databaseName)).toEqual({ keptRoles: [] });
    expect(await find()).toBeUndefined();
  });

  test('the password of the administrator is in no error', async () => {
    const { password } = new URL(started.adminUrl);
    const wrong = new URL(started.adminUrl);
    wrong.password = `${password}-canary`;
    const away = new URL(wrong);
    away.port = '1';
    const request = { databaseName: 'sp_333333333333', password: 'owner-canary', machineHost: '127.0.0.1' };
    const readonly = new URL(started.adminUrl);
    readonly.searchParams.set('options', '-c default_transaction_read_only=on');
    for (const adminUrl of [wrong, away, readonly]) {
      const failed = await createPostgresDatabases({ adminUrl: adminUrl.href })
        .create(request)
        .catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(Error);
      const text = `${inspect(failed, { depth: 9 })}${JSON.stringify({ ...(failed as object) })}`;
      expect(text).not.toContain(password);
      expect(text).not.toContain('canary');
    }
    const unreadable = `postgresql://postgres:${password}@host:port/x`;
    expect(() => createPostgresDatabases({ adminUrl: unreadable })).toThrow(/not a URL/);
    try {
      createPostgresDatabases({ adminUrl: unreadable });
    } catch (error) {
      expect(inspect(error, { depth: 9 })).not.toContain(password);
    }
  });
}
