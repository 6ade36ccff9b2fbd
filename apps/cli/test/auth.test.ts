import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import Login from '../src/commands/cloud/auth/login.ts';
import Logout from '../src/commands/cloud/auth/logout.ts';
import Token from '../src/commands/cloud/auth/token.ts';
import Whoami from '../src/commands/cloud/auth/whoami.ts';
import { Refusal, startFakeApi } from './support/fake-api.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const me = { user: { id: 'u1', email: 'ada@example.com' }, tenants: [] };
const jwt = (expires: number): string =>
  `e30.${Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + expires })).toString('base64url')}.c2ln`;

async function loggedIn(apiUrl: string, apiToken: string, refreshToken?: string): Promise<string> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, '.systemprompt'));
  await mkdir(join(cwd, 'services'));
  const stored = {
    api_token: apiToken,
    api_url: apiUrl,
    authenticated_at: '2026-01-01T00:00:00Z',
    user_email: 'ada@example.com',
    refresh_token: refreshToken,
  };
  await writeFile(join(cwd, '.systemprompt/credentials.json'), JSON.stringify(stored), { mode: 0o600 });
  return cwd;
}

test('a login that nobody would answer is not begun: exit code 3 and what works there', async () => {
  const api = await startFakeApi({});
  const cwd = await temporaryFolder();
  const argv = ['--environment', api.url, '--json'];
  for (const [more, world] of [
    [[], { env: { DISPLAY: ':0' } }],
    [['--non-interactive'], { env: { DISPLAY: ':0', BROWSER: 'firefox' }, attended: true }],
  ] as const) {
    const { exitCode, stdout } = await runCommand(Login, [...argv, ...more], { cwd, ...world });
    expect(exitCode).toBe(3);
    const { next } = (JSON.parse(stdout) as { error: { next: string[] } }).error;
    const start = `systemprompt cloud auth login --environment ${api.url}`;
    expect(next).toEqual([`${start} --token - < token.txt`, `${start} --device`]);
  }
  expect(api.requests).toEqual([]);
});

test('a logout ends the login on the server, or says that it goes on there', async () => {
  const path = (cwd: string): string => join(cwd, '.systemprompt/credentials.json');
  const api = await startFakeApi({ 'POST /api/v1/auth/revoke': {}, 'POST /api/v1/activity': {} });
  const cwd = await loggedIn(api.url, 'planted-token', 'planted-refresh');
  const done = await runCommand(Logout, ['--json'], { cwd });
  expect(JSON.parse(done.stdout)).toMatchObject({ logged_out: true, revoked: true });
  expect(api.bodies).toMatchObject([
    { event: 'cloud_logout', data: { user_id: 'ada@example.com' } },
    { token: 'planted-refresh' },
  ]);
  expect(existsSync(path(cwd))).toBe(false);

  const away = await loggedIn('http://127.0.0.1:1', 'planted-token');
  const offline = await runCommand(Logout, ['--json'], { cwd: away });
  expect(offline.exitCode, offline.stdout).toBe(0);
  expect(JSON.parse(offline.stdout)).toMatchObject({ logged_out: true, revoked: false });
  expect(offline.stderr).toContain('goes on there');
  expect(offline.stderr + done.stderr).not.toContain('planted');
  expect(existsSync(path(away))).toBe(false);

  await mkdir(join(away, '.systemprompt'), { recursive: true });
  await writeFile(path(away), '{ damaged', { mode: 0o600 });
  const damaged = await runCommand(Logout, ['--json'], { cwd: away });
  expect(JSON.parse(damaged.stdout)).toMatchObject({ logged_out: true, revoked: false });
  expect(existsSync(path(away))).toBe(false);
});

test('a login goes on where the tenants of the project are damaged, and is reported', async () => {
  const api = await startFakeApi({ 'GET /api/v1/auth/me': me, 'POST /api/v1/activity': {} });
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, '.systemprompt'));
  await writeFile(join(cwd, '.systemprompt/tenants.json'), '{ damaged', { mode: 0o600 });
  const argv = ['--environment', api.url, '--token', '-', '--json'];
  const done = await runCommand(Login, argv, { cwd, readStdin: () => Promise.resolve(jwt(3600)) });
  expect(done.exitCode, done.stdout).toBe(0);
  expect(done.stderr).toContain('tenants.json');
  expect(api.bodies).toMatchObject([{ event: 'cloud_login', data: { user_id: 'u1' } }]);
});

test('login --token - takes the token from stdin and prints none of it', async () => {
  const api = await startFakeApi({ 'GET /api/v1/auth/me': me });
  const cwd = await temporaryFolder();
  const token = jwt(3600);
  const argv = ['--environment', api.url, '--token', '-', '--json'];
  const done = await runCommand(Login, argv, { cwd, readStdin: () => Promise.resolve(`${token}\n`) });
  expect(done.exitCode, done.stdout).toBe(0);
  expect(done.stdout + done.stderr).not.toContain(token);
  const stored = await readFile(join(cwd, '.systemprompt/credentials.json'), 'utf8');
  expect(JSON.parse(stored)).toMatchObject({ api_token: token, user_email: 'ada@example.com' });
  const nothing = await runCommand(Login, argv, { cwd });
  expect(nothing.exitCode).toBe(1);
  expect(JSON.parse(nothing.stdout)).toMatchObject({ error: { code: 'SP_LOGIN_NO_TOKEN' } });
  expect((await runCommand(Login, ['--token', token], { cwd })).exitCode).toBe(2);
});

test('login --device shows the code on stderr and keeps the refresh token; SSH does it by itself', async () => {
  const api = await startFakeApi({
    'GET /api/v1/auth/me': me,
    'POST /api/v1/auth/device': {
      device_code: 'dc-secret',
      user_code: 'BCDF-GHJK',
      verification_uri: 'http://x/device',
      expires_in: 60,
      interval: 1,
    },
    'POST /api/v1/auth/token': { access_token: jwt(900), refresh_token: 'rt-secret', expires_in: 900 },
  });
  const cwd = await temporaryFolder();
  const argv = ['--environment', api.url, '--json'];
  const env = { SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' };
  const done = await runCommand(Login, argv, { cwd, env, attended: true });
  expect(done.exitCode, done.stdout).toBe(0);
  expect(done.stderr).toContain('BCDF-GHJK');
  expect(done.stdout + done.stderr).not.toMatch(/dc-secret|rt-secret/);
  const stored = await readFile(join(cwd, '.systemprompt/credentials.json'), 'utf8');
  expect(JSON.parse(stored)).toMatchObject({ refresh_token: 'rt-secret' });
});

test('a token about to expire is renewed once and kept; a refused one is no login', async () => {
  const next = jwt(3600);
  const answers = { 'GET /api/v1/auth/me': me };
  const api = await startFakeApi({
    ...answers,
    'POST /api/v1/auth/token': { access_token: next, refresh_token: 'r2' },
  });
  const cwd = await loggedIn(api.url, jwt(-5), 'r1');
  const who = await runCommand(Whoami, ['--json'], { cwd });
  expect(who.exitCode, who.stdout).toBe(0);
  expect(api.bodies).toEqual([{ grant_type: 'refresh_token', refresh_token: 'r1' }]);
  expect(api.requests.at(-1)?.authorization).toBe(`Bearer ${next}`);
  expect(await readFile(join(cwd, '.systemprompt/credentials.json'), 'utf8')).toContain('"r2"');

  const refusing = await startFakeApi({ ...answers, 'POST /api/v1/auth/token': new Refusal(400, 'invalid_grant') });
  const refused = await runCommand(Whoami, ['--json'], { cwd: await loggedIn(refusing.url, jwt(-5), 'r1') });
  expect(refused.exitCode).toBe(4);
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'SP_CREDENTIALS_EXPIRED' } });
});

test('auth token prints the token, and nothing else does', async () => {
  const token = jwt(3600);
  const cwd = await loggedIn('http://127.0.0.1:1', token);
  expect((await runCommand(Token, [], { cwd })).stdout).toBe(`${token}\n`);
  expect(JSON.parse((await runCommand(Token, ['--json'], { cwd })).stdout)).toMatchObject({ token });
  expect((await runCommand(Token, ['--json'], { cwd: await temporaryFolder() })).exitCode).toBe(4);
});

test('an environment that there is not is refused by the name of its flag', async () => {
  const cwd = await temporaryFolder();
  const { exitCode, stdout } = await runCommand(Login, ['--environment', 'foo', '--json'], { cwd });
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ error: { message: expect.stringContaining('--environment "foo"') } });
});

test('the names of environments are taken in any case', async () => {
  const cwd = await temporaryFolder();
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = (input) => {
    asked.push(new Request(input).url);
    return Promise.resolve(new Response('{}', { status: 401 }));
  };
  const world = { cwd, fetch, readStdin: () => Promise.resolve(jwt(3600)) };
  await runCommand(Login, ['--environment', 'Production', '--token', '-', '--json'], world);
  expect(asked.map((url) => new URL(url).origin)).toEqual(['https://api.systemprompt.io']);
  const env = { SYSTEMPROMPT_LOCAL_DATA_DIR: join(cwd, 'none') };
  const local = await runCommand(Login, ['LOCAL', '--token', '-', '--json'], { ...world, env });
  expect(JSON.parse(local.stdout)).toMatchObject({ error: { code: 'SP_CLI_LOCAL_NOT_RUNNING' } });
});
