import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeEmbeddedPostgres } from '@sp/management-api';
import { loadTenants } from '@sp/tenants';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runBinary } from './support/run-binary.ts';
import { duration, keys, openTerminal, type TerminalSession } from './support/terminal.ts';

// A person without an account and a database on their computer, in order: each test goes on where the one before ended.
let place: string;
let cwd: string;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  place = await mkdtemp(join(await realpath(tmpdir()), 'sp database-'));
  cwd = join(place, 'My Shop');
  await mkdir(join(cwd, '.systemprompt'), { recursive: true });
  await mkdir(join(cwd, 'services'));
  // No Docker: what is suggested is the Postgres without it.
  env = { XDG_DATA_HOME: join(place, 'data'), DOCKER_HOST: 'unix:///nowhere/docker.sock' };
});
afterAll(async () => {
  await removeEmbeddedPostgres({ dataDir: join(place, 'data/systemprompt/postgres') });
  await rm(place, { recursive: true, force: true });
});

const open = (args: readonly string[]): TerminalSession => openTerminal(args, { cwd, env });

test('tenant create --type local asks for the name and the Postgres, and suggests what there is', async () => {
  const session = open(['cloud', 'tenant', 'create', '--type', 'local']);
  await session.see('Name of the tenant');
  session.type(keys.enter);
  await session.see('● One without Docker');
  session.type(keys.enter);
  expect(await session.ended(), session.screen()).toBe(0);
  expect(session.screen()).toContain('Tenant local is on this computer');
  expect(session.screen()).toMatch(new RegExp(`✓ Made the database \\S+ ${duration}`));
  expect(session.screen()).toContain('systemprompt cloud db tables --profile local');
  expect(session.cursorShown()).toBe(true);
});

test('tenant create --type local: the URL of a Postgres of one’s own is not shown, and Ctrl-C makes nothing', async () => {
  const session = open(['cloud', 'tenant', 'create', '--type', 'local', '--name', 'own', '--database', 'external']);
  await session.see('URL of the database');
  session.type('postgres://u:planted-typed-1f2e@127.0.0.1:1/own');
  await session.see('▪▪▪▪');
  session.type(keys.interrupt);
  expect(await session.ended()).toBe(130);
  expect(session.raw()).not.toContain('planted-typed');
  const store = await loadTenants(join(cwd, '.systemprompt/tenants.json'));
  expect(store?.tenants.map(({ name }) => name)).toEqual(['local']);
});

test('the shell of its own: several lines, errors, and Ctrl-C at the prompt and in a statement', async () => {
  const session = open(['cloud', 'db', 'shell', '--built-in']);
  await session.see(/\nlocal=> $|\nlocal=>$/);
  expect(session.screen()).toContain('In the database of the');
  session.type(`select 40 +${keys.enter}`);
  await session.see(/local->$/);
  session.type(`2 as answer;${keys.enter}`);
  await session.see(/answer\n42/);

  session.type(`select * from nowhere;${keys.enter}`);
  await session.see('relation "nowhere" does not exist');

  // What is typed, and the lines before it, are forgotten.
  session.type(`select 'left'${keys.enter}`);
  await session.see(/local->$/);
  session.type('never run');
  await session.see(/never run$/);
  session.type(`${keys.left}${keys.left}${keys.interrupt}`);
  await session.see(/\^C\nlocal=>$/);
  session.type(`select 6 * 7 as fresh;${keys.enter}`);
  await session.see(/fresh\n42/);

  session.type(`select pg_sleep(600);${keys.enter}`);
  // Nothing shows that the server has begun with it, but that it says so.
  await waitForSleep();
  session.type(keys.interrupt);
  await session.see(/Cancelled\nlocal=>$/);
  session.type(`create table people (id int);${keys.enter}`);
  await session.see('CREATE TABLE');
  session.type(`\\d${keys.enter}`);
  await session.see(/public +people/);
  session.type(`\\q${keys.enter}`);
  expect(await session.ended(), session.screen()).toBe(0);
  expect(session.cursorShown()).toBe(true);
});

/** Waits until the server is at the statement of the other session. */
async function waitForSleep(): Promise<void> {
  const sql = `select count(*)::int from pg_stat_activity where query like 'select pg_sleep(600)%' and state = 'active'`;
  await expect
    .poll(
      async () => {
        const { stdout } = await runBinary(['cloud', 'db', 'query', sql, '--json'], { cwd, env });
        return (JSON.parse(stdout) as { rows?: number[][] }).rows;
      },
      { timeout: 90_000, interval: 200 },
    )
    .toEqual([[1]]);
}

test('a shell whose input ends with Ctrl-D ends well', async () => {
  const session = open(['cloud', 'db', 'shell', '--built-in', '--profile', 'local']);
  await session.see(/local=>$/);
  session.type('\u0004');
  expect(await session.ended()).toBe(0);
});

const psql = await promisify(execFile)('psql', ['--version']).then(
  () => true,
  () => false,
);

test.runIf(psql)('the shell hands over to psql, whose own Ctrl-C and exit code count', async () => {
  const session = openTerminal(['cloud', 'db', 'shell'], { cwd, env: { ...env, PAGER: '', PSQLRC: '/nowhere' } });
  await session.see(/=# ?$|=> ?$/);
  session.type(`select current_database() || ':' || (40 + 2) as answer;${keys.enter}`);
  await session.see(/:42/);
  session.type(`select pg_sleep(600);${keys.enter}`);
  await waitForSleep();
  session.type(keys.interrupt);
  await session.see('canceling statement due to user request');
  session.type(`\\! ps -o args= -p $PPID${keys.enter}`);
  await session.see(/psql/);
  session.type(`\\q${keys.enter}`);
  expect(await session.ended(), session.screen()).toBe(0);
  const stored = await loadTenants(join(cwd, '.systemprompt/tenants.json'));
  expect(session.raw()).not.toContain(new URL(stored?.tenants[0]?.databaseUrl ?? '').password);
});

test('tenant delete of a local tenant asks what becomes of the data, then for the name', async () => {
  const wrong = open(['cloud', 'tenant', 'delete', 'local']);
  await wrong.see('What is to happen to the database of local?');
  wrong.type(keys.enter);
  await wrong.see('Type local to go on');
  wrong.type(`other${keys.enter}`);
  expect(await wrong.ended()).toBe(2);
  expect(wrong.screen()).toContain('"other" is not the name "local"');

  const session = open(['cloud', 'tenant', 'delete', 'local']);
  await session.see('● Keep its database');
  session.type(keys.down);
  await session.see('● Delete its database with everything in it');
  session.type(keys.enter);
  await session.see('Type local to go on');
  expect(session.screen()).toContain('and destroys its database');
  session.type(`local${keys.enter}`);
  expect(await session.ended(), session.screen()).toBe(0);
  expect(session.screen()).toContain('local is deleted; its database is deleted too');
  expect((await loadTenants(join(cwd, '.systemprompt/tenants.json')))?.tenants).toEqual([]);
});
