import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createHttpFetch } from '../src/http-fetch.ts';

async function serve(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('an answer in parts is one text, without a byte order mark', async () => {
  const url = await serve((response) => {
    const bytes = Buffer.from('\ufeff{"name":"ä"}');
    // In the middle of a letter.
    response.write(bytes.subarray(0, -3));
    setImmediate(() => response.end(bytes.subarray(-3)));
  });
  const response = await createHttpFetch()(url);
  expect(await response.text()).toBe('{"name":"ä"}');
});

test('an answer that is cut off is a failure, also when it is read later', async () => {
  const url = await serve((response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{"na', () => response.destroy());
  });
  const fetch = createHttpFetch();
  const [now, later] = [await fetch(url), await fetch(url)];
  await expect(now.text()).rejects.toThrow();
  await expect.poll(() => later.text().then(String, () => 'failed')).toBe('failed');
});

test('an answer that is given up in the middle ends at once', async () => {
  const url = await serve((response) => response.writeHead(200).write('{'));
  const stop = new AbortController();
  const response = await createHttpFetch()(url, { signal: stop.signal });
  const text = response.text();
  stop.abort();
  await expect(text).rejects.toThrow();
});
