import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { Hono } from 'hono';
import { expect, test, vi } from 'vitest';
import type { HttpEnvironment } from '../src/http/app.ts';
import { sendEvents } from '../src/http/event-stream.ts';
import { createOpenStreams } from '../src/http/open-streams.ts';
import { serveHandler } from './serve.ts';

test('a stream whose client left while it was got ready is never begun', async () => {
  const stop = new AbortController();
  const streams = createOpenStreams({ heartbeatMs: 1000, signal: stop.signal });
  const add = vi.spyOn(streams, 'add');
  let open = 0;
  let asked = 0;
  let tried = 0;
  const attach = vi.fn<() => { resume(): void; leave(): void }>(() => ({ resume: () => {}, leave: () => {} }));
  const app = new Hono<HttpEnvironment>();
  app.get('/', async (context) => {
    const { outgoing } = context.env as { outgoing: ServerResponse };
    const { socket } = outgoing.req;
    asked += 1;
    if (!socket.destroyed) await once(socket, 'close');
    // After everything that is told of its end.
    await new Promise((done) => setImmediate(done));
    const opened = () => {
      open += 1;
      return () => {
        open -= 1;
      };
    };
    const answer = sendEvents(context, { attach }, { streams, opened, onError: () => {} });
    tried += 1;
    return answer;
  });
  await using server = await serveHandler((request, env) => app.fetch(request, env));
  const socket = connect({ host: '127.0.0.1', port: Number(server.host.split(':')[1]) });
  // The second waits behind the first, and has no connection of its own yet.
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2));
  await vi.waitFor(() => expect(asked).toBe(2), { timeout: 90_000 });
  socket.destroy();
  await vi.waitFor(() => expect(tried).toBe(2), { timeout: 90_000 });
  expect(open).toBe(0);
  expect(add).not.toHaveBeenCalled();
  expect(attach).not.toHaveBeenCalled();
  stop.abort();
});
