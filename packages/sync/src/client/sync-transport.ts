import type { IncomingMessage, RequestOptions } from 'node:http';
import type { LookupFunction } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** What goes to a tenant; an iterable is sent piece by piece. */
export type SyncBody = string | Uint8Array | AsyncIterable<Uint8Array>;

/** A request as it goes out. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: SyncBody | undefined;
  readonly signal: AbortSignal;
}

/** An answer, of which nothing but the head has to be here yet. */
export interface SyncResponse {
  readonly status: number;
  /** The value of a header; names are in lower case. */
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Sends one request. */
export type SyncTransport = (request: TransportRequest) => Promise<SyncResponse>;

/**
 * Over Node's own HTTP client: to load what the global `fetch` is made of takes as long as to look at some thousand files.
 * It finds `<tenant>.localhost` too, which names a tenant of a local cloud and which most systems cannot look up.
 */
export const sendByHttp: SyncTransport = async ({ method, url, headers, body, signal }) => {
  const { request } = url.protocol === 'http:' ? await import('node:http') : await import('node:https');
  const lookup = url.hostname.endsWith('.localhost') ? { lookup: loopback } : {};
  const options: RequestOptions = { method, headers: { ...headers, 'accept-encoding': 'gzip' }, signal, ...lookup };
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, options, resolve);
    sent.on('error', reject);
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) sent.end(body);
    else {
      // An answer may come before everything is sent, and end the sending.
      pipeline(Readable.from(body, { objectMode: false }), sent, (error) => (error ? reject(error) : undefined));
    }
  });
  return {
    status: message.statusCode ?? 0,
    header: (name) => [message.headers[name] ?? []].flat().join(', ') || undefined,
    body: message.headers['content-encoding'] === 'gzip' ? pipeline(message, createGunzip(), () => {}) : message,
  };
};

/** Over somebody else's `fetch`. */
export function sendByFetch(send: typeof fetch): SyncTransport {
  return async ({ method, url, headers, body, signal }) => {
    const isWhole = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    const content = isWhole ? body : (Readable.toWeb(Readable.from(body, { objectMode: false })) as ReadableStream);
    const response = await send(url, {
      method,
      headers,
      signal,
      // A redirect would take the token to another place.
      redirect: 'manual',
      ...(content === undefined ? {} : { body: content as NonNullable<RequestInit['body']>, duplex: 'half' }),
    });
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      body: (response.body ?? []) as unknown as AsyncIterable<Uint8Array>,
    };
  };
}

const loopback: LookupFunction = (_hostname, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};
