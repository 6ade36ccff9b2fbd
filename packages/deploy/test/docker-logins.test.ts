import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { createOciBuilder, findDockerLogin, planImage } from '../src/index.ts';
import { fixtureProject, temporaryFolder } from './fixture-project.ts';
import { privateBase } from './private-base.ts';

const password = 'planted:base-password';
const auth = Buffer.from(`ada:${password}`).toString('base64');
const login = { username: 'ada', password };

async function configFile(config: unknown): Promise<string> {
  const configPath = join(await temporaryFolder(), 'config.json');
  await writeFile(configPath, typeof config === 'string' ? config : JSON.stringify(config));
  return configPath;
}

/** A real helper program; `script` gets the server's name in `$server`. */
async function helper(name: string, script: string): Promise<{ env: Record<string, string>; asked: string }> {
  const folder = await temporaryFolder();
  const program = join(folder, `docker-credential-${name}`);
  const asked = join(folder, 'asked');
  await writeFile(program, `#!/bin/sh\nserver=$(cat)\necho "$1 $server" >> "${asked}"\n${script}\n`);
  await chmod(program, 0o755);
  return { env: { PATH: [folder, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter) }, asked };
}

const answer = (name: string, secret: string): string =>
  `printf '%s' '${JSON.stringify({ ServerURL: 'x', Username: name, Secret: secret })}'`;

test('the logins that docker keeps in its file', async () => {
  const configPath = await configFile({
    auths: {
      'ghcr.io': { auth },
      'https://index.docker.io/v1/': { auth: Buffer.from('hub:pass\0\0').toString('base64') },
      'https://old.example/v1/': { username: 'ada', password },
      'empty.example': {},
      'ghcr.io/team': { auth: Buffer.from('other:one').toString('base64') },
    },
    credsStore: '',
    currentContext: 'default',
  });
  const find = (registry: string) => findDockerLogin(registry, { configPath });
  expect(await find('ghcr.io')).toEqual(login);
  expect(await find('docker.io')).toEqual({ username: 'hub', password: 'pass' });
  expect(await find('old.example')).toEqual(login);
  expect(await find('empty.example')).toBeUndefined();
  expect(await find('quay.io')).toBeUndefined();
  expect(await find('ghcr.io:5000')).toBeUndefined();
  expect(await findDockerLogin('ghcr.io', { configPath: join(configPath, 'missing') })).toBeUndefined();
  expect(await findDockerLogin('ghcr.io', { configPath: `${configPath}.missing` })).toBeUndefined();
  expect(await findDockerLogin('ghcr.io', { configPath: await configFile('\n') })).toBeUndefined();
});

test('helpers are asked for the registries that the file names them for', async () => {
  const { env, asked } = await helper(
    'kept',
    `case "$server" in https://index.docker.io/v1/) ${answer('hub', 'pass')};; ghcr.io) ${answer('ada', password)};;
    *) echo 'credentials not found in native keychain'; exit 1;; esac`,
  );
  const configPath = await configFile({
    auths: { 'ghcr.io': {}, 'own.example': { auth } },
    credsStore: 'missing-store',
    credHelpers: { 'ghcr.io': 'kept', 'none.example': 'kept', 'own.example': '' },
  });
  const find = (registry: string) => findDockerLogin(registry, { configPath, env });
  expect(await find('ghcr.io')).toEqual(login);
  expect(await find('none.example')).toBeUndefined();
  // A helper without a name: what is in the file, as docker has it.
  expect(await find('own.example')).toEqual(login);
  const all = await configFile({ auths: { 'own.example': { auth } }, credsStore: 'kept' });
  expect(await findDockerLogin('docker.io', { configPath: all, env })).toEqual({ username: 'hub', password: 'pass' });
  expect(await findDockerLogin('own.example', { configPath: all, env })).toEqual(login);
  expect(await readFile(asked, 'utf8')).toBe(
    ['ghcr.io', 'none.example', 'https://index.docker.io/v1/', 'own.example'].map((name) => `get ${name}\n`).join(''),
  );
});

test('a login that cannot be read is a named error without a word of it', async () => {
  const { env } = await helper('bad', `echo '${password}'; echo '${password}' >&2; exit 3`);
  const { env: silent } = await helper('bad', `echo '${password}'`);
  const store = { credsStore: 'bad' };
  const cases: readonly (readonly [unknown, Record<string, string>, string])[] = [
    [`{"auths": {"r.test": ${password}`, env, 'it is not JSON'],
    [[password], env, 'malformed'],
    [{ auths: { 'r.test': password } }, env, '`auths.r.test` is malformed'],
    [{ auths: { 'r.test': { auth: 5 } } }, env, '`auths.r.test.auth` is malformed'],
    [
      { auths: { 'r.test': { auth: Buffer.from('planted').toString('base64') } } },
      env,
      'not base64 of `name:password`',
    ],
    [{ credHelpers: { 'r.test': '../bad' } }, env, 'malformed name'],
    [{ credsStore: 'nowhere' }, env, 'no program docker-credential-nowhere (ENOENT)'],
    [store, env, 'docker-credential-bad failed with exit code 3'],
    [store, silent, 'docker-credential-bad answered no login'],
  ];
  for (const [config, environment, why] of cases) {
    const configPath = await configFile(config);
    const error = await findDockerLogin('r.test', { configPath, env: environment }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SP_DEPLOY_BUILD_FAILED', message: expect.stringContaining(why) as string });
    expect(inspect(error, { depth: 9 })).not.toContain('planted');
    expect(inspect(error, { depth: 9 })).not.toContain(auth);
  }
  const unreadable = findDockerLogin('r.test', { configPath: await temporaryFolder() });
  await expect(unreadable).rejects.toMatchObject({ code: 'SP_DEPLOY_BUILD_FAILED' });
});

test('an identity token stands in the file, or a helper says so by its name', async () => {
  const identity = { identityToken: password };
  const name = Buffer.from('00000000-0000-0000-0000-000000000000:').toString('base64');
  const inFile = await configFile({ auths: { 'r.test': { auth: name, identitytoken: password } } });
  expect(await findDockerLogin('r.test', { configPath: inFile })).toEqual(identity);
  const { env } = await helper('kept', answer('<token>', password));
  const kept = await configFile({ credsStore: 'kept' });
  expect(await findDockerLogin('r.test', { configPath: kept, env })).toEqual(identity);
});

test('an image is built on one of a registry that gives identity tokens for passwords', async () => {
  const { reference } = await privateBase({ password, identity: true });
  const base = `${reference}:v1`;
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production', base });
  const build = async (identitytoken: string): Promise<unknown> => {
    const configPath = await configFile({ auths: { [reference.split('/')[0]!]: { identitytoken } } });
    const baseRegistry = (registry: string) => findDockerLogin(registry, { configPath });
    const builder = createOciBuilder({ cacheDirectory: await temporaryFolder(), baseRegistry });
    return builder.build(plan, { name: 'registry.test/a:b' });
  };
  expect(await build(password)).toMatchObject({ kind: 'oci' });
  const error = await build('planted-other').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'SP_DEPLOY_BUILD_FAILED', cause: { code: 'SP_OCI_UNAUTHORIZED' } });
  expect(inspect(error, { depth: 9 })).not.toContain('planted');
});

test('a helper that waits for somebody can be stopped', async () => {
  const { env } = await helper('waiting', 'exec sleep 600');
  const configPath = await configFile({ credsStore: 'waiting' });
  const controller = new AbortController();
  const finding = findDockerLogin('r.test', { configPath, env, signal: controller.signal });
  setTimeout(() => controller.abort(), 100);
  await expect(finding).rejects.toMatchObject({ code: 'SP_DEPLOY_ABORTED' });
});

test('an image is built on one of a private registry with the login that a helper has', async () => {
  const { reference } = await privateBase({ password });
  const { env } = await helper('kept', answer('ada', password));
  const base = `${reference}:v1`;
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production', base });
  const build = async (config: unknown): Promise<unknown> => {
    const configPath = await configFile(config);
    const baseRegistry = (registry: string) => findDockerLogin(registry, { configPath, env });
    const builder = createOciBuilder({ cacheDirectory: await temporaryFolder(), baseRegistry });
    return builder.build(plan, { name: 'registry.test/a:b' });
  };
  expect(await build({ credsStore: 'kept' })).toMatchObject({ kind: 'oci' });
  expect(await build({ auths: { [reference.split('/')[0]!]: { auth } } })).toMatchObject({ kind: 'oci' });
  const code = 'SP_DEPLOY_BUILD_FAILED';
  await expect(build({})).rejects.toMatchObject({ code, cause: { code: 'SP_OCI_UNAUTHORIZED' } });
  const message = expect.stringMatching(
    /^Cannot read the docker login for .*: no program docker-credential-nowhere/,
  ) as string;
  await expect(build({ credsStore: 'nowhere' })).rejects.toMatchObject({ code, message });
});
