import { expect, test } from 'vitest';
import { createLoopback, renderPage } from '../src/index.ts';
import { rawRequest } from './raw-request.ts';

test.each(['POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE'])(
  '%s is refused and does not count as the callback',
  async (method) => {
    await using listener = await createLoopback();
    const waiting = listener.wait((query) => ({ page: '', done: true, value: query.get('from') }));
    const refused = await rawRequest(listener.port, { method, path: '/callback?from=refused' });
    expect(refused.status).toBe(405);
    expect(refused.headers['allow']).toBe('GET');
    await fetch(`${listener.url}?from=get`);
    expect(await waiting).toBe('get');
  },
);

test('only our own names are answered', async () => {
  await using listener = await createLoopback({ routes: { '/x': async () => ({ type: 'text/plain', body: 'x' }) } });
  const { port } = listener;
  const status = async (host: string): Promise<number> => (await rawRequest(port, { host, path: '/x' })).status;
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`])
    expect(await status(host)).toBe(200);
  const foreign = [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    `127.0.0.1:${port + 1}`,
    `127.0.0.1.evil.example:${port}`,
  ];
  for (const host of foreign) expect(await status(host)).toBe(421);
});

test('other paths are 404, also odd ones', async () => {
  await using listener = await createLoopback();
  for (const path of ['/', '/callback/', '/callbacks', '//callback', '/favicon.ico', '/__proto__', '/%']) {
    expect((await rawRequest(listener.port, { path })).status).toBe(404);
  }
});

test('every answer says not to keep, leak, frame or reuse it', async () => {
  await using listener = await createLoopback();
  const waiting = listener.wait(() => ({ page: 'page', done: true, value: undefined }));
  for (const path of ['/nothing', '/callback?code=1']) {
    const { headers } = await rawRequest(listener.port, { path });
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      connection: 'close',
    });
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['content-security-policy']).not.toContain('script-src');
  }
  await waiting;
});

test('the script of a rendered page is allowed by its nonce, and may ask the listener', async () => {
  await using listener = await createLoopback();
  const page = renderPage({ title: 't', heading: 'h', message: 'm', tone: 'waiting', script: 'poll()' });
  const waiting = listener.wait(() => ({ page, done: true, value: undefined }));
  const { headers, text } = await rawRequest(listener.port);
  expect(page.nonce).toMatch(/^[\w+/]{22}==$/);
  expect(text).toContain(`<script nonce="${page.nonce}">poll()</script>`);
  const policy = headers['content-security-policy'];
  expect(policy).toContain(`script-src 'nonce-${page.nonce}'; connect-src 'self'`);
  expect(policy).toContain(`style-src ${page.styleSource}`);
  expect(policy).not.toContain('unsafe');
  await waiting;
});

test('extra routes answer exactly or below, before the result and while lingering', async () => {
  const listener = await createLoopback({
    lingerMs: 60_000,
    answeredPage: 'too late',
    routes: {
      '/exact': async ({ query }) => ({ status: 201, type: 'text/plain', body: query.get('q') ?? '' }),
      '/status/': async ({ path }) => ({ type: 'application/json', body: JSON.stringify({ path }) }),
      '/broken': () => Promise.reject(new Error('secret detail')),
    },
  });
  const waiting = listener.wait(() => ({ page: '', done: true, value: 'value' }));
  expect(await rawRequest(listener.port, { path: '/exact?q=a%20b' })).toMatchObject({ status: 201, text: 'a b' });
  expect(await rawRequest(listener.port, { path: '/exact/more' })).toMatchObject({ status: 404 });
  await fetch(listener.url);
  expect(await waiting).toBe('value');

  const status = await fetch(new URL('/status/t%201', listener.url));
  expect(status.headers.get('content-type')).toBe('application/json');
  expect(await status.json()).toEqual({ path: '/status/t%201' });
  const broken = await rawRequest(listener.port, { path: '/broken' });
  expect(broken.status).toBe(500);
  expect(broken.text).not.toContain('secret detail');
  expect(await (await fetch(listener.url)).text()).toBe('too late');

  await listener.close();
  await expect(fetch(listener.url)).rejects.toThrow();
});

test('lingering ends by itself', async () => {
  const listener = await createLoopback({ lingerMs: 20 });
  const waiting = listener.wait(() => ({ page: '', done: true, value: undefined }));
  await fetch(listener.url);
  await waiting;
  await expect
    .poll(
      () =>
        fetch(listener.url).then(
          () => 'open',
          () => 'closed',
        ),
      { timeout: 90_000 },
    )
    .toBe('closed');
});

test('a status that HTTP does not know drops the page but not the value', async () => {
  await using listener = await createLoopback();
  const waiting = listener.wait(() => ({ page: 'page', status: 9999, done: true, value: 'value' }));
  await expect(fetch(listener.url)).rejects.toThrow();
  expect(await waiting).toBe('value');
});
