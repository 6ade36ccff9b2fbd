import type { IncomingMessage, RequestOptions } from 'node:http';
import type { LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * A `fetch` over node:http that streams both ways. Unlike Node's own it finds `<tenant>.localhost`, which names a tenant
 * of the local cloud and which most systems cannot look up.
 */
export function createTenantFetch({
  connectMs = 5000,
}: {
  /** How long a connection may take. @defaultValue 5000 */ readonly connectMs?: number;
} = {}): typeof globalThis.fetch {
  return async (input, init = {}) => {
    const url = new URL(typeof input === 'string' || input instanceof URL ? input : input.url);
    const { request } = url.protocol === 'http:' ? await import('node:http') : await import('node:https');
    const { method = 'GET', headers = {}, body, signal } = init;
    signal?.throwIfAborted();
    const options: RequestOptions = {
      method,
      headers: headers as Record<string, string>,
      ...(url.hostname.endsWith('.localhost') ? { lookup: loopback } : {}),
      ...(signal ? { signal } : {}),
    };
    const message = await new Promise<IncomingMessage>((done, fail) => {
      const sent = request(url, options, done);
      sent.on('error', (error) => fail(signal?.aborted ? (signal.reason as Error) : error));
      // A host that is not there says nothing: nobody at a terminal waits a minute for it.
      sent.once('socket', (socket) => {
        if (!socket.connecting) return;
        const late = (): void => void sent.destroy(new Error(`no connection within ${connectMs / 1000} seconds`));
        const timer = setTimeout(late, connectMs);
        for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(timer));
      });
      if (body instanceof ReadableStream) {
        // An answer may come before everything is sent, and end the sending.
        pipeline(Readable.fromWeb(body), sent).catch(fail);
      } else sent.end(body);
    });
    const { statusCode: status = 0 } = message;
    const empty = status === 204 || status === 304;
    return new Response(empty ? null : Readable.toWeb(message), {
      status,
      headers: headersOf(message),
    });
  };
}

const loopback: LookupFunction = (_hostname, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

function headersOf({ headers }: IncomingMessage): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) all.append(name, one);
  }
  return all;
}
