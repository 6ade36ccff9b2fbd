import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createLoopback, isLoopbackError, LoopbackError, type LoopbackReply } from '../src/index.ts';

/** Ends the wait with the query's `n`. */
function takeNumber(query: URLSearchParams): LoopbackReply<string | null> {
  return { page: `page ${query.get('n')}`, done: true, value: query.get('n') };
}

test('listens on a free port of 127.0.0.1 and returns the value of the first done reply', async () => {
  await using listener = await createLoopback();
  expect(listener.url).toBe(`http://127.0.0.1:${listener.port}/callback`);
  const waiting = listener.wait(takeNumber);
  const response = await fetch(`${listener.url}?n=7%26%2B`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(await response.text()).toBe('page 7&+');
  expect(await waiting).toBe('7&+');
});

test('after the result nothing listens any more', async () => {
  const listener = await createLoopback();
  const waiting = listener.wait(takeNumber);
  await fetch(`${listener.url}?n=1`);
  await waiting;
  await expect(fetch(listener.url)).rejects.toThrow();
  const again = await createLoopback({ port: listener.port });
  expect(again.port).toBe(listener.port);
  await again.close();
});

test('a reply that is not done shows its page and goes on waiting', async () => {
  await using listener = await createLoopback({ path: '/back' });
  const waiting = listener.wait<string>((query) =>
    query.has('ok') ? { page: 'finished', done: true, value: 'ok' } : { page: 'please wait', status: 202, done: false },
  );
  const first = await fetch(listener.url);
  expect([first.status, await first.text()]).toEqual([202, 'please wait']);
  expect(await (await fetch(`${listener.url}?ok`)).text()).toBe('finished');
  expect(await waiting).toBe('ok');
});

test('a reply with an error fails the wait after its page was sent', async () => {
  await using listener = await createLoopback();
  const failure = new Error('denied');
  const waiting = listener.wait(() => ({ page: 'sorry', done: true, error: failure }));
  const [response, error] = await Promise.all([fetch(listener.url), waiting.catch((error: unknown) => error)]);
  expect(await response.text()).toBe('sorry');
  expect(error).toBe(failure);
});

test('what the handler throws fails the wait and does not reach the page', async () => {
  await using listener = await createLoopback();
  const failure = new Error('secret detail');
  const waiting = listener.wait(() => Promise.reject(failure));
  const [response, error] = await Promise.all([fetch(listener.url), waiting.catch((error: unknown) => error)]);
  expect(error).toBe(failure);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret detail');
});

test('a callback before the wait is held, and one while another is handled is not handled again', async () => {
  await using listener = await createLoopback({ answeredPage: 'too late' });
  const first = fetch(`${listener.url}?n=1`);
  const second = fetch(`${listener.url}?n=2`);
  let calls = 0;
  const value = await listener.wait(async (query) => {
    calls += 1;
    // Once later requests are answered, the listener has both.
    for (const _ of [1, 2]) await fetch(new URL('/', listener.url));
    return { page: 'mine', done: true, value: query.get('n') };
  });
  const texts = await Promise.all([first, second].map(async (response) => (await response).text()));
  expect(calls).toBe(1);
  expect(texts.sort()).toEqual(['mine', 'too late']);
  expect(['1', '2']).toContain(value);
});

test('of ten callbacks at once one is handled, and the others are told', async () => {
  const listener = await createLoopback({ answeredPage: 'too late' });
  const callbacks = Array.from({ length: 10 }, (_, index) => {
    const socket = connect(listener.port, '127.0.0.1');
    const request = `GET /callback?n=${index} HTTP/1.1\r\nHost: 127.0.0.1:${listener.port}\r\n\r\n`;
    const sent = new Promise((resolve) => socket.write(request, resolve));
    return { sent, answer: text(socket) };
  });
  let calls = 0;
  const waiting = listener.wait(async (query) => {
    calls += 1;
    await Promise.all(callbacks.map(({ sent }) => sent));
    return takeNumber(query);
  });
  const answers = await Promise.all(callbacks.map(({ answer }) => answer));
  const value = await waiting;
  expect(calls).toBe(1);
  expect(answers.filter((answer) => answer.endsWith(`\r\n\r\npage ${value}`))).toHaveLength(1);
  expect(answers.filter((answer) => answer.endsWith('\r\n\r\ntoo late'))).toHaveLength(9);
});

test('a browser that goes away before its page still gives the value', async () => {
  await using listener = await createLoopback();
  const waiting = listener.wait(async (query) => {
    socket.destroy();
    await once(socket, 'close');
    return takeNumber(query);
  });
  const socket = connect(listener.port, '127.0.0.1');
  socket.write(`GET /callback?n=3 HTTP/1.1\r\nHost: 127.0.0.1:${listener.port}\r\n\r\n`);
  expect(await waiting).toBe('3');
});

test('a connection on which nothing was sent does not keep the listener open', async () => {
  const listener = await createLoopback();
  const socket = connect(listener.port, '127.0.0.1');
  const ended = once(socket, 'close');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const waiting = listener.wait(takeNumber);
  await fetch(`${listener.url}?n=1`);
  expect(await waiting).toBe('1');
  await ended;
});

test('the time can run out', async () => {
  const listener = await createLoopback();
  await expect(listener.wait(takeNumber, { timeoutMs: 20 })).rejects.toMatchObject({
    code: 'SP_LOOPBACK_TIMEOUT',
    seconds: 0.02,
  });
  await expect(fetch(listener.url)).rejects.toThrow();
});

test('when the wait ends while the handler is busy, the browser is told at once', async () => {
  const listener = await createLoopback({ answeredPage: 'too late' });
  const controller = new AbortController();
  const waiting = listener.wait<never>(
    () => {
      controller.abort();
      return new Promise(() => undefined);
    },
    { signal: controller.signal },
  );
  const [response] = await Promise.all([
    fetch(listener.url),
    expect(waiting).rejects.toMatchObject({ code: 'SP_LOOPBACK_ABORTED' }),
  ]);
  expect(await response.text()).toBe('too late');
});

test('a very long timeout does not fire at once', async () => {
  await using listener = await createLoopback();
  const waiting = listener.wait(takeNumber, { timeoutMs: Number.POSITIVE_INFINITY });
  await fetch(`${listener.url}?n=1`);
  expect(await waiting).toBe('1');
});

test('the wait can be aborted, before and during', async () => {
  const early = await createLoopback();
  await expect(early.wait(takeNumber, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'SP_LOOPBACK_ABORTED',
  });
  const controller = new AbortController();
  const listener = await createLoopback();
  const waiting = listener.wait(takeNumber, { signal: controller.signal });
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'SP_LOOPBACK_ABORTED', port: listener.port });
  await expect(fetch(listener.url)).rejects.toThrow();
});

test('closing ends the wait, can be repeated, and there is no second wait', async () => {
  const listener = await createLoopback();
  const waiting = listener.wait(takeNumber);
  await expect(listener.wait(takeNumber)).rejects.toMatchObject({ code: 'SP_LOOPBACK_CLOSED' });
  await Promise.all([
    expect(waiting).rejects.toMatchObject({ code: 'SP_LOOPBACK_CLOSED', port: listener.port }),
    listener.close(),
  ]);
  await listener.close();
});

test('a busy port is named', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const error = await createLoopback({ port }).catch((error: unknown) => error);
  expect(isLoopbackError(error)).toBe(true);
  expect(error).toMatchObject({ code: 'SP_LOOPBACK_PORT_BUSY', port });
  other.close();
});

test('the guard knows errors of another copy of the package and nothing else', () => {
  expect(isLoopbackError(new LoopbackError('SP_LOOPBACK_CLOSED', 'message'))).toBe(true);
  expect(isLoopbackError(Object.assign(new Error('copy'), { [Symbol.for('@sp/loopback.error')]: true }))).toBe(true);
  expect(isLoopbackError(new Error('other'))).toBe(false);
  expect(isLoopbackError(null)).toBe(false);
});
