import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test, vi } from 'vitest';
import { listen } from '../src/serve/listen.ts';

test('a connection that a client keeps alive holds nothing up when the server closes', async () => {
  const waiting: (() => void)[] = [];
  const fetch = () => new Promise<Response>((done) => waiting.push(() => done(new Response('done'))));
  const server = await listen({ fetch, host: '127.0.0.1', port: 0 });
  const [told, silent] = [0, 0].map(() => {
    const socket = connect({ host: '127.0.0.1', port: server.port });
    const seen = {
      text: '',
      closed: once(socket, 'close'),
      ask: () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    };
    socket.setEncoding('latin1').on('data', (text: string) => (seen.text += text));
    return seen;
  });
  told?.ask();
  silent?.ask();
  await vi.waitFor(() => expect(waiting).toHaveLength(2), { timeout: 90_000 });
  // Much longer than this test may take.
  const closed = server.close({ graceMs: 600_000 });
  told?.ask();
  await vi.waitFor(() => expect(waiting).toHaveLength(3), { timeout: 90_000 });
  for (const answer of waiting) answer();
  await Promise.all([closed, told?.closed, silent?.closed]);
  expect(told?.text.match(/^connection: \S+/gim)).toEqual(['Connection: keep-alive', 'Connection: close']);
  expect(silent?.text).toContain('done');
});
