import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import { upsertTenant } from '@sp/tenants';
import { expect, test } from 'vitest';
import { type ChosenTarget, carryTarget } from '../src/carry-target.ts';
import Login from '../src/commands/cloud/auth/login.ts';
import DbQuery from '../src/commands/cloud/db/query.ts';
import Logs from '../src/commands/cloud/logs.ts';
import Open from '../src/commands/cloud/open.ts';
import Restart from '../src/commands/cloud/restart.ts';
import SecretsSet from '../src/commands/cloud/secrets/set.ts';
import TenantEdit from '../src/commands/cloud/tenant/edit.ts';
import { shellWord } from '../src/shell-words.ts';
import { Refusal } from './support/fake-api.ts';
import { runCommand } from './support/run-command.ts';
import { hello, makeProfile, makeWorld, second } from './support/world.ts';

const config = await Config.load(fileURLToPath(new URL('..', import.meta.url)));
const carry = (text: string, target: ChosenTarget): string =>
  carryTarget(text, target, (words) => config.findCommand(words.join(':')));

test.each<[string, ChosenTarget, string]>([
  ['cloud status --watch', { tenant: 'shop' }, 'cloud status --tenant shop --watch'],
  ['cloud sync status', { tenant: 'my shop' }, "cloud sync status --tenant 'my shop'"],
  ['cloud sync status', { profile: 'staging', tenantId: 't1' }, 'cloud sync status --profile staging'],
  // What takes no profile takes its tenant.
  ['cloud status', { profile: 'staging', tenantId: 't1' }, 'cloud status --tenant t1'],
  ['cloud status', { profile: 'staging' }, 'cloud status'],
  ['cloud deploy', { tenant: 'shop', profile: 'staging' }, 'cloud deploy --profile staging'],
  ['cloud tenant edit --memory 512', { tenant: 'shop' }, 'cloud tenant edit shop --memory 512'],
  ['cloud tenant rotate-credentials', { profile: 'staging', tenantId: 't1' }, 'cloud tenant rotate-credentials t1'],
  // What takes no tenant takes its one profile.
  ['cloud deploy', { tenant: 'shop', tenantId: 't1', profileOfTenant: 'p' }, 'cloud deploy --profile p'],
  ['cloud logs', { tenant: 'shop', tenantId: 't1', profileOfTenant: 'p' }, 'cloud logs --tenant shop'],
  // What is for a certain one stays.
  ['cloud status --tenant other --watch', { tenant: 'shop' }, 'cloud status --tenant other --watch'],
  ['cloud deploy --profile other', { profile: 'staging' }, 'cloud deploy --profile other'],
  ['cloud tenant edit other --memory 512', { tenant: 'shop' }, 'cloud tenant edit other --memory 512'],
  // --profile of this one is a new profile's name.
  ['cloud tenant create', { tenant: 'shop', profile: 'staging' }, 'cloud tenant create'],
  ['cloud local logs', { dataDir: '/tmp/x' }, 'cloud local logs --data-dir /tmp/x'],
  ['cloud auth login', { environment: 'local' }, 'cloud auth login --environment local'],
  ['cloud no-such-command', { tenant: 'shop' }, 'cloud no-such-command'],
])('systemprompt %s, with %o chosen', (line, target, expected) => {
  expect(carry(`Do: systemprompt ${line}`, target)).toBe(`Do: systemprompt ${expected}`);
});

test('a command that lacks a value is told with all that was given, but not twice, and not where something is taken up', () => {
  const again = { id: 'cloud:tenant:create', flags: [['--name', 'my shop'], ['--no-external-db-access']] } as const;
  const start = 'systemprompt cloud tenant create';
  expect(carry(`${start} --new-checkout`, { again })).toBe(
    `${start} --name 'my shop' --no-external-db-access --new-checkout`,
  );
  expect(carry(`${start} --name hello`, { again })).toBe(`${start} --no-external-db-access --name hello`);
  expect(carry(`${start} --resume last`, { again })).toBe(`${start} --resume last`);
  expect(carry('systemprompt cloud tenant list', { again })).toBe('systemprompt cloud tenant list');
});

test('a command that lacks a value is told with its arguments, but not twice', () => {
  const again = { id: 'cloud:db:query', flags: [['--limit', '5']], words: ["select 'a b'"] } as const;
  const start = 'systemprompt cloud db query';
  const word = shellWord("select 'a b'");
  expect(carry(`${start} --tenant t1`, { again })).toBe(`${start} ${word} --limit 5 --tenant t1`);
  expect(carry(`${start} ${word} --write`, { again })).toBe(`${start} --limit 5 ${word} --write`);
  expect(carry('systemprompt cloud db tables --tenant t1', { again })).toBe('systemprompt cloud db tables --tenant t1');
});

test('of several tenants, each is named with the statement, and never with the value of a secret', async () => {
  const world = await makeWorld({}, [hello, second]);
  for (const { id, name } of [hello, second]) {
    const databaseUrl = 'postgresql://127.0.0.1:9/none';
    await upsertTenant(join(world.cwd, '.systemprompt/tenants.json'), {
      id,
      name,
      tenantType: 'cloud',
      externalDbAccess: true,
      databaseUrl,
    });
  }
  const query = await runCommand(DbQuery, ['select 1', '--json'], world);
  expect(query.exitCode, query.stdout).toBe(3);
  expect(errorOf(query.stdout).next).toContain(
    `systemprompt cloud db query ${shellWord('select 1')} --tenant ${second.id}`,
  );
  const set = await runCommand(SecretsSet, ['KEY=planted-value', '--json'], world);
  expect(set.stdout).not.toContain('planted-value');
});

test('each command line in a sentence is completed', () => {
  const text = 'systemprompt cloud sync down brings it here, systemprompt cloud sync up there';
  expect(carry(text, { profile: 'p' })).toBe(
    'systemprompt cloud sync down --profile p brings it here, systemprompt cloud sync up --profile p there',
  );
});

const errorOf = (stdout: string): { next?: string[]; suggestions: string[] } =>
  (JSON.parse(stdout) as { error: { next?: string[]; suggestions: string[] } }).error;

test('what a person chose by a flag or an argument is in what they are told to run next', async () => {
  const world = await makeWorld(
    {
      [`GET /api/v1/tenants/${hello.id}`]: { data: hello },
      [`GET /api/v1/tenants/${hello.id}/status`]: { data: { status: 'awaiting_deploy' } },
      [`POST /api/v1/tenants/${hello.id}/restart`]: new Refusal(409, 'conflict'),
      [`PATCH /api/v1/tenants/${hello.id}`]: new Refusal(409, 'conflict'),
    },
    [hello, second],
  );
  await makeProfile(world.cwd, 'staging');
  const suggested = async (Type: typeof Restart | typeof TenantEdit, argv: string[]): Promise<string[]> => {
    const { stdout } = await runCommand(Type, [...argv, '--json'], world);
    return errorOf(stdout).suggestions;
  };
  for (const flag of ['--tenant', '--tenant-id']) {
    expect(await suggested(Restart, [flag, 'hello', '--yes'])).toContainEqual(
      expect.stringMatching(/systemprompt cloud status --tenant hello --watch$/),
    );
  }
  expect(await suggested(TenantEdit, ['hello', '--memory', '512'])).toContainEqual(
    expect.stringMatching(/systemprompt cloud status --tenant hello --watch$/),
  );
  // --watch is of a command that takes no profile.
  for (const profile of ['staging', '.systemprompt/profiles/staging/profile.yaml']) {
    expect(await suggested(Restart, ['--profile', profile, '--yes'])).toContainEqual(
      expect.stringMatching(`systemprompt cloud status --tenant ${hello.id} --watch$`),
    );
  }
  const open = await runCommand(Open, ['--tenant', 'hello', '--json'], world);
  expect(open.stdout).toContain('hello is awaiting deploy and has no page');
  expect(errorOf(open.stdout).suggestions).toEqual(['Deploy first: systemprompt cloud deploy --profile staging']);
  const set = await runCommand(SecretsSet, ['KEY', '--profile', 'staging', '--json'], world);
  expect(errorOf(set.stdout).next).toEqual([
    'systemprompt cloud secrets set --profile staging KEY --stdin < file-with-the-value',
  ]);
  const logs = await runCommand(Logs, ['--tail', '5', '--json'], await makeWorld({}, [hello, second]));
  expect(errorOf(logs.stdout).next).toContain(`systemprompt cloud logs --tail 5 --tenant ${second.id}`);
  const login = ['--environment', world.api.url, '--provider', 'google', '--json'];
  const page = await runCommand(Login, login, world);
  expect(errorOf(page.stdout).next).toContain(
    `systemprompt cloud auth login --environment ${world.api.url} --provider google --device`,
  );
});

test('a login that is not valid any more is mended at the API that it was for', async () => {
  const { api, cwd } = await makeWorld({ 'GET /api/v1/auth/me': new Refusal(401, 'unauthorized') });
  const stored = {
    api_token: 'planted',
    api_url: api.url,
    authenticated_at: '2026-01-01T00:00:00Z',
    user_email: 'a@b.c',
  };
  await writeFile(join(cwd, '.systemprompt/credentials.json'), JSON.stringify(stored), { mode: 0o600 });
  const { stdout, exitCode } = await runCommand(Restart, ['--yes', '--json'], { cwd });
  expect(exitCode, stdout).toBe(4);
  expect(errorOf(stdout).suggestions).toEqual([`Log in: systemprompt cloud auth login --environment ${api.url}`]);
});
