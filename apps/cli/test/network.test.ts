import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { proxyFor } from '../src/network/proxy-for.ts';
import { certificate, privateKey } from './support/certificate.ts';
import { runBinary } from './support/run-binary.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

async function listen(server: Server & { closeAllConnections(): void }): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const answer: http.RequestListener = (_, response) => {
  const me = { user: { id: 'u1', email: 'ada@example.com' }, tenants: [] };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(me));
};
const startSecureApi = (): Promise<number> =>
  listen(https.createServer({ key: privateKey, cert: certificate }, answer));

/** A proxy for whom every name is the API of this test. */
async function startProxy(apiPort: number, status = 200): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? '–'}`);
    answer(request, response);
  });
  server.on('connect', (request, client, head) => {
    asked.push(`CONNECT ${request.url} ${request.headers['proxy-authorization'] ?? '–'}`);
    if (status !== 200) return client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const upstream = connect(apiPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connected\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) socket.on('error', () => upstream.destroy());
    return undefined;
  });
  return { url: `http://ada:s3cr3t%21@127.0.0.1:${await listen(server)}`, asked };
}

async function whoami(env: Readonly<Record<string, string>>): Promise<{ exitCode: number | null; text: string }> {
  const cwd = await temporaryFolder();
  const all = { SYSTEMPROMPT_API_TOKEN: 'planted-token', ...env };
  const { stdout, stderr, exitCode } = await runBinary(['cloud', 'auth', 'whoami', '--json'], { cwd, env: all });
  return { exitCode, text: stdout + stderr };
}

async function writeAuthority(): Promise<string> {
  const path = join(await temporaryFolder(), 'authority.pem');
  await writeFile(path, certificate);
  return path;
}

test('an API behind a proxy: through CONNECT, with its login, unless NO_PROXY names it', async () => {
  const proxy = await startProxy(await startSecureApi());
  const env = {
    SYSTEMPROMPT_API_URL: 'https://api.example.test',
    SYSTEMPROMPT_CA_FILE: await writeAuthority(),
    HTTPS_PROXY: proxy.url,
  };
  expect(await whoami(env)).toMatchObject({ exitCode: 0, text: expect.stringContaining('ada@example.com') });
  const login = `Basic ${Buffer.from('ada:s3cr3t!').toString('base64')}`;
  expect(proxy.asked).toEqual([`CONNECT api.example.test:443 ${login}`]);
  // The name leads nowhere without the proxy.
  expect(await whoami({ ...env, NO_PROXY: 'other.test,.example.test' })).toMatchObject({ exitCode: 12 });
  expect(proxy.asked).toHaveLength(1);
});

test('a proxy for plain HTTP gets the whole address, and one that refuses is told of without its password', async () => {
  const proxy = await startProxy(1, 407);
  const plain = await whoami({ SYSTEMPROMPT_API_URL: 'http://api.example.test', http_proxy: proxy.url });
  expect(plain.exitCode, plain.text).toBe(0);
  expect(proxy.asked[0]).toContain('GET http://api.example.test:80/api/v1/auth/me Basic ');
  const refused = await whoami({ SYSTEMPROMPT_API_URL: 'https://api.example.test', https_proxy: proxy.url });
  expect(refused.exitCode).toBe(12);
  expect(refused.text).not.toMatch(/s3cr3t|planted-token/);
  const wrong = await whoami({ SYSTEMPROMPT_API_URL: 'https://api.example.test', HTTPS_PROXY: 'http://[' });
  expect(wrong).toMatchObject({ exitCode: 2, text: expect.stringContaining('is no URL') });
});

test('a certificate of one’s own is believed with SYSTEMPROMPT_CA_FILE or NODE_EXTRA_CA_CERTS, and not without', async () => {
  const SYSTEMPROMPT_API_URL = `https://localhost:${await startSecureApi()}`;
  const path = await writeAuthority();
  expect(await whoami({ SYSTEMPROMPT_API_URL })).toMatchObject({ exitCode: 12 });
  expect(await whoami({ SYSTEMPROMPT_API_URL, SYSTEMPROMPT_CA_FILE: path })).toMatchObject({ exitCode: 0 });
  expect(await whoami({ SYSTEMPROMPT_API_URL, NODE_EXTRA_CA_CERTS: path })).toMatchObject({ exitCode: 0 });
  expect(await whoami({ SYSTEMPROMPT_API_URL, SYSTEMPROMPT_CA_FILE: '/nowhere.pem' })).toMatchObject({ exitCode: 2 });
  const key = join(await temporaryFolder(), 'key.pem');
  await writeFile(key, privateKey);
  expect(await whoami({ SYSTEMPROMPT_API_URL, SYSTEMPROMPT_CA_FILE: key })).toEqual({
    exitCode: 2,
    text: expect.stringContaining('SYSTEMPROMPT_CA_FILE holds no certificate in PEM'),
  });
});

test.each([
  ['https://api.example', { HTTPS_PROXY: 'http://p:3128' }, 'p:3128'],
  ['https://api.example', { https_proxy: 'http://lower:1', HTTPS_PROXY: 'http://upper:1' }, 'lower:1'],
  ['https://api.example', { HTTP_PROXY: 'http://p:3128' }, undefined],
  ['http://api.example', { HTTP_PROXY: 'http://p:3128' }, 'p:3128'],
  ['https://api.example', { ALL_PROXY: 'p:3128' }, 'p:3128'],
  ['https://api.example', { HTTPS_PROXY: 'http://p', NO_PROXY: '*' }, undefined],
  ['https://api.example', { HTTPS_PROXY: 'http://p', NO_PROXY: 'example' }, undefined],
  ['https://api.example', { HTTPS_PROXY: 'http://p', NO_PROXY: 'xample' }, 'p'],
  ['https://api.example', { HTTPS_PROXY: 'http://p', NO_PROXY: '*.example, b' }, undefined],
  ['https://api.example', { HTTPS_PROXY: 'http://p', NO_PROXY: 'api.example:8443' }, 'p'],
  ['https://api.example:8443', { HTTPS_PROXY: 'http://p', no_proxy: 'api.example:8443' }, undefined],
  ['http://hello.localhost:7300', { HTTP_PROXY: 'http://p' }, undefined],
  ['http://127.0.0.1:7300', { ALL_PROXY: 'http://p' }, undefined],
  ['http://[::1]:7300', { ALL_PROXY: 'http://p' }, undefined],
] as const)('%s with %j goes through %s', (url, env, proxy) => {
  expect(proxyFor(new URL(url), env)?.host).toBe(proxy);
});

test('a proxy that is not there is named, and one of another kind is refused', async () => {
  const SYSTEMPROMPT_API_URL = 'https://api.example';
  const gone = await whoami({ SYSTEMPROMPT_API_URL, HTTPS_PROXY: 'http://ada:s3cr3t@127.0.0.1:1' });
  expect(gone).toMatchObject({ exitCode: 12, text: expect.stringContaining('the proxy 127.0.0.1:1') });
  expect(gone.text).not.toContain('s3cr3t');
  const socks = await whoami({ SYSTEMPROMPT_API_URL, ALL_PROXY: 'socks5://ada:s3cr3t@127.0.0.1:1' });
  expect(socks).toMatchObject({ exitCode: 2, text: expect.stringContaining('127.0.0.1:1 is one for socks5') });
  expect(socks.text).not.toContain('s3cr3t');
});
