import { once } from 'node:events';
import { connect } from 'node:net';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createLoopback, escapeHtml, isLoopbackError, renderPage } from '../src/index.ts';

// Many runs on a busy computer; a hang is longer.
const patience = { timeout: 300_000 };

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '__proto__', 'constructor', '</script><script>', '"\'<>&', '%', '%ff', 'x'.repeat(20_000)),
);
const line = fc.oneof(
  text,
  fc.constantFrom(
    'GET /callback?code=stolen HTTP/1.1',
    'GET /callback?code=stolen HTTP/9.9',
    'OPTIONS /callback?code=stolen HTTP/1.1',
    'GET http://evil.example/callback?code=stolen HTTP/1.1',
    'Host: evil.example',
    'Content-Length: -1',
    'Content-Length: 99999999999999999999',
    'Transfer-Encoding: chunked',
    'Upgrade: websocket',
    'Expect: 100-continue',
    ': ',
  ),
);

async function sendBytes(port: number, bytes: Buffer): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  socket.resume().end(bytes);
  await closed;
}

test('whatever comes over the line, the listener goes on and only the real callback counts', patience, async () => {
  await using listener = await createLoopback({
    // Objects have members of these names, and routes must not.
    routes: { '/status/': async ({ path }) => ({ type: 'text/plain', body: path }) },
  });
  const waiting = listener.wait((query) => ({ page: '', done: true, value: query.get('code') }));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 8 }), fc.constantFrom('\r\n', '\n', '\0'), async (lines, end) =>
      sendBytes(listener.port, Buffer.from([...lines, '', ''].join(end), 'latin1')),
    ),
    { numRuns: 100 },
  );
  await fetch(`${listener.url}?code=real`);
  expect(await waiting).toBe('real');
  expect('polluted' in {}).toBe(false);
});

test('any query reaches the handler as it is, and is nothing but text on the page', patience, async () => {
  const plain = renderPage({ title: 'a', heading: 'b', message: 'c', tone: 'error' });
  const tags = plain.html.match(/<[a-z!/]/g);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, text), { maxLength: 5 }), async (pairs) => {
      // Node refuses more than 16 KB of headers itself.
      const sent = new URLSearchParams(
        pairs.map(([name, value]): [string, string] => [name.slice(0, 200), value.slice(0, 200)]),
      );
      await using listener = await createLoopback();
      const waiting = listener.wait((query) => {
        const message = [...query].flat().join(' ');
        return {
          page: renderPage({ title: message, heading: message, message, tone: 'error' }),
          done: true,
          value: [...query],
        };
      });
      const page = await (await fetch(`${listener.url}?${sent}`)).text();
      expect(await waiting).toEqual([...sent]);
      expect(page.match(/<[a-z!/]/g)).toEqual(tags);
    }),
    { numRuns: 40 },
  );
});

test('escaped text has nothing that HTML takes for more, and loses nothing', () => {
  const characters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  fc.assert(
    fc.property(text, (plain) => {
      const escaped = escapeHtml(plain);
      expect(escaped).not.toMatch(/[<>"']/);
      expect(escaped.replace(/&([^;&]+);/g, (_, name: string) => characters[name] ?? '?')).toBe(plain);
    }),
  );
});

test('any number is a port that is listened on, or one named error', patience, async () => {
  const number = fc.oneof(fc.integer({ min: -5, max: 0 }), fc.integer({ min: 65_536 }), fc.double(), fc.constant(NaN));
  await fc.assert(
    fc.asyncProperty(number, async (port) => {
      const outcome: unknown = await createLoopback({ port }).catch((error: unknown) => error);
      if (Object.is(Math.abs(port), 0)) await (outcome as AsyncDisposable)[Symbol.asyncDispose]();
      else if (!isLoopbackError(outcome)) throw new Error(`listens on ${port}`);
      else expect(outcome.message).toBe(`Cannot listen on 127.0.0.1:${port}: it is not a port`);
    }),
  );
});

test('a handler or a route that gives no reply fails its request, and nothing else', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const nothing = undefined as never;
  await using listener = await createLoopback({ routes: { '/none': async () => nothing } });
  let calls = 0;
  const waiting = listener.wait(() => {
    calls += 1;
    return calls === 1 ? { page: nothing, done: false } : { page: '', done: true, value: 'value' };
  });
  await expect(fetch(new URL('/none', listener.url))).rejects.toThrow();
  await expect(fetch(listener.url)).rejects.toThrow();
  await fetch(listener.url);
  expect(await waiting).toBe('value');
  expect(unhandled).toEqual([]);
});
