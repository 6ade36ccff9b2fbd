import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runQuery } from '@sp/database';
import { keepEmbeddedPostgres, removeEmbeddedPostgres, startEmbeddedPostgres } from '@sp/management-api';
import { loadTenants } from '@sp/tenants';
import { expect, onTestFinished, test } from 'vitest';
import { binaryPath, runBinary } from './support/run-binary.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { makeWorld } from './support/world.ts';

const preload = pathToFileURL(join(import.meta.dirname, 'support/kill-at.mjs')).href;

/** A project, and how its commands are run: to their end, or to the step at which they are killed. */
async function makeProject(env: Readonly<Record<string, string>>) {
  const { cwd } = await makeWorld();
  const run = async (args: readonly string[], stdin?: string) =>
    await runBinary(args, { cwd, env, ...(stdin === undefined ? {} : { stdin }) });
  const runAndKill = async (killAt: string, args: readonly string[], stdin = ''): Promise<void> => {
    const child = spawn(process.execPath, ['--import', preload, binaryPath, ...args], {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: cwd, ...env, SP_TEST_KILL_AT: killAt },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(stdin);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    expect([code, signal], `${killAt}\n${said}`).toEqual([null, 'SIGKILL']);
  };
  const list = ['cloud', 'tenant', 'list', '--cached', '--json'];
  const expectListed = async (name: string, listed: 'unfinished' | 'finished'): Promise<void> => {
    const { stderr } = await run(list);
    expect(stderr.includes(`The local tenant ${name} is not finished`)).toBe(listed === 'unfinished');
  };
  /** The one tenant, its profile and its database fit together, and nothing else is left. */
  const expectWhole = async (name: string): Promise<string> => {
    const tenants = (await loadTenants(join(cwd, '.systemprompt/tenants.json')))?.tenants ?? [];
    expect(tenants.map((each) => each.name)).toEqual([name]);
    const url = tenants[0]?.databaseUrl ?? '';
    expect((await runQuery(url, 'select 1')).rows).toEqual([[1]]);
    const secrets = await readFile(join(cwd, '.systemprompt/profiles', name, 'secrets.json'), 'utf8');
    expect(JSON.parse(secrets)).toMatchObject({ database_url: url, external_database_url: url });
    expect(await readdir(join(cwd, '.systemprompt/profiles'))).toEqual([name]);
    return url;
  };
  return { run, runAndKill, expectListed, expectWhole };
}

test('a local tenant whose making was killed at any step is known, and the same command finishes it', async () => {
  const home = await temporaryFolder();
  const dataDir = join(home, 'systemprompt', 'postgres');
  onTestFinished(() => removeEmbeddedPostgres({ dataDir }));
  const { url: adminUrl } = await keepEmbeddedPostgres({ dataDir });
  const steps = {
    said: 'after|rename|/unfinished_tenants.json',
    role: 'before|sql|create database',
    database: 'before|sql|revoke all on database',
    draft: 'before|rename|/profiles/draft',
    profile: 'after|rename|/profiles/profile',
  };
  const begin = async (name: string, killAt: string) => {
    const project = await makeProject({ XDG_DATA_HOME: home });
    const create = ['cloud', 'tenant', 'create', '--type', 'local', '--name', name, '--database', 'embedded', '--json'];
    await project.runAndKill(killAt, create);
    await project.expectListed(name, 'unfinished');
    return { ...project, create };
  };
  const finished = Object.entries(steps).map(async ([name, killAt]) => {
    const { run, create, expectListed, expectWhole } = await begin(name, killAt);
    const again = await run(create);
    expect(again.exitCode, again.stderr + again.stdout).toBe(0);
    await expectListed(name, 'finished');
    await expectWhole(name);
  });
  const dropped = (async () => {
    const { run, create, expectListed } = await begin('gone', 'before|sql|revoke all on database');
    const doctor = await run(['cloud', 'doctor', '--json']);
    expect(doctor.stdout).toContain('systemprompt cloud tenant delete gone --confirm gone');
    // Another Postgres or profile is another tenant: what there is must not be forgotten over it.
    const other = await run([...create, '--profile', 'other']);
    expect(JSON.parse(other.stdout)).toMatchObject({
      error: { code: 'SP_CLI_USAGE', message: expect.stringContaining('--database embedded --profile gone') },
    });
    const deleted = await run(['cloud', 'tenant', 'delete', 'gone', '--confirm', 'gone', '--json']);
    expect(JSON.parse(deleted.stdout)).toMatchObject({ deleted: true, database: 'deleted' });
    await expectListed('gone', 'finished');
  })();
  const late = (async () => {
    const { run, runAndKill, expectListed, expectWhole } = await makeProject({ XDG_DATA_HOME: home });
    const create = [
      'cloud',
      'tenant',
      'create',
      '--type',
      'local',
      '--name',
      'late',
      '--database',
      'embedded',
      '--json',
    ];
    await runAndKill('after|rename|/tenants.json', create);
    await expectListed('late', 'finished');
    const again = await run(create);
    expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: 'SP_CLI_PROFILE_EXISTS' } });
    await expectWhole('late');
  })();
  await Promise.all([...finished, dropped, late]);
  const names = [...Object.keys(steps), 'late'].sort();
  const databases = await runQuery(adminUrl, `select datname from pg_database where datname ~ '_[0-9a-f]{8,}$'`);
  const roles = await runQuery(adminUrl, `select rolname from pg_roles where rolname ~ '_[0-9a-f]{8,}$'`);
  for (const { rows } of [databases, roles]) {
    expect(rows.map(([name]) => String(name).replace(/_[0-9a-f]+$/, '')).sort()).toEqual(names);
  }
}, 300_000);

test('so is one on a Postgres of your own', async () => {
  const dataDir = join(await temporaryFolder(), 'own');
  const server = await startEmbeddedPostgres({ dataDir });
  onTestFinished(async () => {
    await server.stop();
    await removeEmbeddedPostgres({ dataDir });
  });
  const steps = {
    said: 'after|rename|/unfinished_tenants.json',
    draft: 'before|rename|/profiles/draft',
    profile: 'after|rename|/profiles/profile',
  };
  await Promise.all(
    Object.entries(steps).map(async ([name, killAt]) => {
      const { run, runAndKill, expectListed, expectWhole } = await makeProject({
        XDG_DATA_HOME: await temporaryFolder(),
      });
      const create = ['cloud', 'tenant', 'create', '--type', 'local', '--name', name, '--database-url-stdin', '--json'];
      await runAndKill(killAt, create, `${server.url}\n`);
      await expectListed(name, 'unfinished');
      const again = await run(create, `${server.url}\n`);
      expect(again.exitCode, again.stderr + again.stdout).toBe(0);
      await expectListed(name, 'finished');
      expect(await expectWhole(name)).toBe(server.url);
    }),
  );
}, 300_000);
