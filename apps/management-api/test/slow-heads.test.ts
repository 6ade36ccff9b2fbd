import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { listen } from '../src/serve/listen.ts';

function open(port: number) {
  const socket = connect({ host: '127.0.0.1', port });
  const seen = { text: '', socket, closed: once(socket, 'close') };
  socket.setEncoding('latin1').on('data', (text: string) => (seen.text += text));
  return seen;
}

test('a head that does not come to its end is given up, whether or not it goes on; a body may take its time', async () => {
  const headTimeoutMs = 3000;
  const fetch = async (request: Request) => new Response(await request.text());
  const server = await listen({ fetch, host: '127.0.0.1', port: 0, headTimeoutMs });
  const [silent, dripping, patient] = [open(server.port), open(server.port), open(server.port)];
  patient.socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nsl');
  silent.socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
  dripping.socket.on('error', () => {});
  dripping.socket.write('GET / HTTP/1.1\r\n');
  const drips = setInterval(() => dripping.socket.write('X-More: 1\r\n'), 50);
  await Promise.all([silent.closed, dripping.closed]);
  clearInterval(drips);
  expect([silent.text, dripping.text].map((text) => text.split('\r\n')[0])).toEqual(
    Array.from({ length: 2 }, () => 'HTTP/1.1 408 Request Timeout'),
  );
  // Longer than a head may take by now.
  await delay(headTimeoutMs);
  patient.socket.write('ow');
  await patient.closed;
  expect(patient.text).toMatch(/^HTTP\/1\.1 200 [\s\S]*slow$/);
  await server.close({ graceMs: 0 });
});

test('a head has a minute unless it is said otherwise', async () => {
  const server = await listen({ fetch: () => new Response('done'), host: '127.0.0.1', port: 0 });
  const { socket, closed } = open(server.port);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
  await Promise.race([closed, delay(1500)]);
  expect(socket.destroyed).toBe(false);
  socket.destroy();
  await server.close({ graceMs: 0 });
});
