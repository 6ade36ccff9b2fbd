import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { upsertTenant } from '@sp/tenants';
import { expect, test } from 'vitest';
import ProfileCreate from '../src/commands/cloud/profile/create.ts';
import ProfileDelete from '../src/commands/cloud/profile/delete.ts';
import ProfileEdit from '../src/commands/cloud/profile/edit.ts';
import ProfileList from '../src/commands/cloud/profile/list.ts';
import ProfileShow from '../src/commands/cloud/profile/show.ts';
import SecretsList from '../src/commands/cloud/secrets/list.ts';
import TenantCreate from '../src/commands/cloud/tenant/create.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { hello, makeProfile, makeWorld, planted, second } from './support/world.ts';

test('profiles are listed and shown, without a value of a secret', async () => {
  const world = await makeWorld();
  await makeProfile(world.cwd, 'hello');
  const list = await runCommand(ProfileList, ['--json'], world);
  expect(JSON.parse(list.stdout)).toMatchObject({ total: 1, profiles: [{ name: 'hello', tenant_id: hello.id }] });
  const show = await runCommand(ProfileShow, ['--json'], world);
  expect(JSON.parse(show.stdout)).toMatchObject({
    name: 'hello',
    secret_names: expect.arrayContaining(['database_url']),
  });
  expect(show.stdout).not.toContain('postgresql://');
  const none = await runCommand(ProfileShow, ['nobody', '--json'], world);
  expect(none.exitCode).toBe(5);
  expect(JSON.parse(none.stdout)).toMatchObject({ error: { available: ['hello'] } });
});

test('edit changes what was given and keeps the rest; a key comes from stdin', async () => {
  const world = await makeWorld();
  const path = await makeProfile(world.cwd, 'hello');
  const readStdin = (): Promise<string> => Promise.resolve(`${planted}\n`);
  const argv = ['hello', '--set-port', '9000', '--set-anthropic-key', '-', '--json'];
  const edited = await runCommand(ProfileEdit, argv, { ...world, readStdin });
  expect(edited.exitCode, edited.stdout).toBe(0);
  expect(JSON.parse(edited.stdout)).toMatchObject({ set: ['server.port', 'anthropic'], changed: true });
  expect(edited.stdout + edited.stderr).not.toContain(planted);
  expect(await readFile(path, 'utf8')).toContain('port: 9000');
  const secrets = await readFile(join(world.cwd, '.systemprompt/profiles/hello/secrets.json'), 'utf8');
  expect(JSON.parse(secrets)).toMatchObject({ anthropic: planted, database_url: 'postgresql://u:old@db/hello' });
  const again = await runCommand(ProfileEdit, ['hello', '--set-port', '9000', '--json'], world);
  expect(JSON.parse(again.stdout)).toMatchObject({ changed: false });
  expect((await runCommand(ProfileEdit, ['hello'], world)).exitCode).toBe(3);
});

test('what is no address of a Postgres is not set, and not repeated', async () => {
  const world = await makeWorld();
  await makeProfile(world.cwd, 'hello');
  const secrets = join(world.cwd, '.systemprompt/profiles/hello/secrets.json');
  const before = await readFile(secrets, 'utf8');
  const argv = ['hello', '--set-database-url', planted, '--set-port', '9001', '--json'];
  const refused = await runCommand(ProfileEdit, argv, world);
  expect(refused.exitCode).toBe(2);
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'SP_DATABASE_URL_INVALID' } });
  expect(refused.stdout).not.toContain(planted);
  expect(await readFile(secrets, 'utf8')).toBe(before);
  expect(await readFile(join(world.cwd, '.systemprompt/profiles/hello/profile.yaml'), 'utf8')).not.toContain('9001');
});

test('create needs the credentials of the tenant, delete needs --yes', async () => {
  const world = await makeWorld();
  const without = await runCommand(ProfileCreate, ['staging', '--json'], world);
  expect(without.exitCode).toBe(6);
  expect(JSON.parse(without.stdout)).toMatchObject({ error: { code: 'SP_CLI_CREDENTIALS_UNAVAILABLE' } });
  const url = 'postgresql://u:p@db/hello';
  await upsertTenant(join(world.cwd, '.systemprompt/tenants.json'), {
    id: hello.id,
    name: 'hello',
    tenantType: 'cloud',
    externalDbAccess: false,
    databaseUrl: url,
    internalDatabaseUrl: url,
  });
  const made = await runCommand(ProfileCreate, ['staging', '--json'], world);
  expect(made.exitCode, made.stdout).toBe(0);
  expect(JSON.parse(made.stdout)).toMatchObject({ name: 'staging', tenant_id: hello.id });
  expect((await runCommand(ProfileCreate, ['staging'], world)).exitCode).toBe(6);
  expect((await runCommand(ProfileCreate, ['../x'], world)).exitCode).toBe(2);
  expect((await runCommand(ProfileDelete, ['staging'], world)).exitCode).toBe(3);
  expect((await runCommand(ProfileDelete, ['staging', '--yes'], world)).exitCode).toBe(0);
  expect((await runCommand(ProfileDelete, ['staging', '--yes'], world)).exitCode).toBe(5);
});

test('a profile may be named by its path, on the command line and in the environment', async () => {
  const world = await makeWorld({ [`GET /api/v1/tenants/${hello.id}/secrets`]: { keys: [] } }, [hello, second]);
  await makeProfile(world.cwd, 'hello');
  const folder = '.systemprompt/profiles/hello';
  for (const value of ['hello', `./${folder}`, `${folder}/profile.yaml`, join(world.cwd, folder)]) {
    const listed = await runCommand(SecretsList, ['--profile', value, '--json'], world);
    expect(listed.exitCode, `${value}: ${listed.stdout}`).toBe(0);
    const env = { ...world.env, SYSTEMPROMPT_PROFILE: value };
    const shown = await runCommand(ProfileShow, ['--json'], { ...world, env });
    expect(JSON.parse(shown.stdout), value).toMatchObject({ name: 'hello' });
  }
  const missing = await runCommand(SecretsList, ['--profile', './nowhere', '--json'], world);
  expect(missing.exitCode).toBe(5);
  expect(JSON.parse(missing.stdout)).toMatchObject({ error: { code: 'SP_PROFILE_NOT_FOUND' } });
  const other = await temporaryFolder();
  await writeFile(join(other, 'profile.yaml'), '');
  const foreign = await runCommand(SecretsList, ['--profile', other, '--json'], world);
  expect(JSON.parse(foreign.stdout)).toMatchObject({ error: { code: 'SP_CLI_PROFILE_NOT_FOUND' } });
  expect(TenantCreate.flags.profile.env).not.toBe('SYSTEMPROMPT_PROFILE');
});

test('an address that is no http(s) URL is not set', async () => {
  const world = await makeWorld();
  const path = await makeProfile(world.cwd, 'hello');
  const before = await readFile(path, 'utf8');
  const refused = await runCommand(ProfileEdit, ['hello', '--set-external-url', 'nope', '--json'], world);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    error: { code: 'SP_PROFILE_INVALID', findings: [{ member: 'server.api_external_url' }] },
  });
  expect(await readFile(path, 'utf8')).toBe(before);
});

test('where there is no profile yet, one is to be made: there is nothing to be seen', async () => {
  const world = await makeWorld();
  const { exitCode, stdout } = await runCommand(ProfileShow, ['--json'], world);
  expect(exitCode).toBe(5);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'SP_CLI_PROFILE_NOT_FOUND', suggestions: ['Make one: systemprompt cloud tenant create'] },
  });
});
