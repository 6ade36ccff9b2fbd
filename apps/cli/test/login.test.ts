import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import Login from '../src/commands/cloud/auth/login.ts';
import Logout from '../src/commands/cloud/auth/logout.ts';
import Whoami from '../src/commands/cloud/auth/whoami.ts';
import { runBinary } from './support/run-binary.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = `${encode({ alg: 'none' })}.${encode({ exp: Math.floor(Date.now() / 1000) + 86_400 })}.c2lnbmF0dXJl`;

/** An API with a login page that agrees at once, and checks the code's verifier as the real one does. */
async function startLoginApi(): Promise<string> {
  let challenge = '';
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const json = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const query = url.searchParams;
    if (url.pathname === '/api/v1/auth/oauth/github') {
      challenge = query.get('code_challenge') ?? '';
      const back = new URLSearchParams({
        redirect_uri: query.get('redirect_uri') ?? '',
        state: query.get('state') ?? '',
      });
      json(200, { authorize_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/page?${back}` });
    } else if (url.pathname === '/page') {
      const answer = new URLSearchParams({ code: 'c0de', state: query.get('state') ?? '' });
      response.writeHead(302, { location: `${query.get('redirect_uri')}?${answer}` }).end();
    } else if (url.pathname === '/api/v1/auth/token') {
      void redeem(request, challenge).then((ok) =>
        ok
          ? json(200, { access_token: token, token_type: 'Bearer' })
          : json(400, { error: { code: 'invalid_grant', message: 'no' } }),
      );
    } else if (url.pathname === '/api/v1/auth/me' && request.headers.authorization === `Bearer ${token}`) {
      json(200, { user: { id: 'u1', email: 'ada@example.com' }, tenants: [] });
    } else json(401, { error: { code: 'unauthorized', message: 'who are you' } });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function redeem(request: IncomingMessage, challenge: string): Promise<boolean> {
  const body = JSON.parse(await text(request)) as Record<string, string>;
  const verifier = body['code_verifier'] ?? '';
  return body['code'] === 'c0de' && createHash('sha256').update(verifier).digest('base64url') === challenge;
}

async function writeBrowser(folder: string): Promise<string> {
  const path = join(folder, 'a browser');
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' -e 'fetch(process.argv[1])' "$1"\n`);
  await chmod(path, 0o755);
  return path;
}

test('login without a terminal: browser opened, URL on stderr, token kept privately, corrupt old file no obstacle', async () => {
  const url = await startLoginApi();
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, '.systemprompt'));
  await writeFile(join(cwd, '.systemprompt/credentials.json'), '{ broken', { mode: 0o600 });
  const world = { cwd, env: { ...process.env, SYSTEMPROMPT_API_TOKEN: undefined, BROWSER: await writeBrowser(cwd) } };

  const { stdout, stderr, exitCode } = await runCommand(Login, ['--environment', url, '--json'], world);
  expect(exitCode, stderr + stdout).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    user: { id: 'u1', email: 'ada@example.com' },
    api_url: url,
    credentials_path: join(cwd, '.systemprompt/credentials.json'),
    tenants: 0,
  });
  expect(stderr).toContain(`${url}/page?`);
  expect(stdout + stderr).not.toContain(token);

  const path = join(cwd, '.systemprompt/credentials.json');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
    api_token: token,
    api_url: url,
    user_email: 'ada@example.com',
  });

  const who = await runCommand(Whoami, ['--json'], world);
  expect(JSON.parse(who.stdout)).toMatchObject({ source: 'file', token: { status: 'valid' } });
  expect(JSON.parse((await runCommand(Logout, ['--json'], world)).stdout)).toMatchObject({ logged_out: true });
  expect(JSON.parse((await runCommand(Logout, ['--json'], world)).stdout)).toMatchObject({ logged_out: false });
});

test('Ctrl-C while waiting for the browser: exit code 130, and JSON still', async () => {
  const url = await startLoginApi();
  const cwd = await temporaryFolder();
  const { stdout, exitCode } = await runBinary(['cloud', 'auth', 'login', '--environment', url, '--json'], {
    cwd,
    env: { BROWSER: '/bin/true' },
    interruptAfter: (stderr) => stderr.includes('/page?'),
  });
  expect(exitCode).toBe(130);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'SP_LOGIN_ABORTED' } });
});
