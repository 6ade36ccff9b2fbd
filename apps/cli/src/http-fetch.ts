import type { IncomingMessage, RequestOptions } from 'node:http';
import { Readable } from 'node:stream';

/**
 * A `fetch` over node:http for what the API client does with one: text requests without redirects. The first request of
 * a process through Node's own costs several times the start of Node, and a command makes one or two.
 */
export function createHttpFetch(): typeof globalThis.fetch {
  return async (input, init = {}) => {
    const url = new URL(typeof input === 'string' || input instanceof URL ? input : input.url);
    const { request } = url.protocol === 'http:' ? await import('node:http') : await import('node:https');
    const { method = 'GET', headers = {}, body, signal } = init;
    signal?.throwIfAborted();
    const options: RequestOptions = {
      method,
      headers: headers as Record<string, string>,
      ...(signal ? { signal } : {}),
    };
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(url, options, resolve);
      sent.on('error', (error) => reject(signal?.aborted ? (signal.reason as Error) : error));
      sent.end(body);
    });
    return responseOf(message);
  };
}

/** Not a real Response: making one would load what this file is there to avoid. */
function responseOf(message: IncomingMessage): Response {
  const { statusCode: status = 0, headers } = message;
  const body = laterStream(message);
  const response = {
    status,
    statusText: message.statusMessage ?? '',
    ok: status >= 200 && status < 300,
    redirected: false,
    headers: {
      get: (name: string) => {
        const value = headers[name.toLowerCase()];
        return value === undefined ? null : String(value);
      },
      has: (name: string) => headers[name.toLowerCase()] !== undefined,
    },
    body,
    text: async () => {
      const text = Buffer.concat(await chunksOf(message)).toString();
      // As a decoder does.
      return text.startsWith('\ufeff') ? text.slice(1) : text;
    },
    // Only ever read instead of the answer itself.
    clone: () => response as unknown as Response,
    json: async () => JSON.parse(await response.text()) as unknown,
  };
  return response as unknown as Response;
}

/** By its events: the iterator of a stream is several modules more. */
function chunksOf(message: IncomingMessage): Promise<readonly Buffer[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    // Cut off in the middle, which is no end.
    const fail = (): void => reject(message.errored ?? new Error('The connection was closed'));
    if (message.closed) fail();
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.once('end', () => resolve(chunks));
    message.once('error', fail);
    message.once('close', fail);
  });
}

/** Made a stream when it is read as one: being looked at must not load what most answers are read without. */
function laterStream(message: IncomingMessage): ReadableStream<Uint8Array> {
  let made: ReadableStream<Uint8Array> | undefined;
  const stream = (): ReadableStream<Uint8Array> => {
    made ??= Readable.toWeb(message) as unknown as ReadableStream<Uint8Array>;
    return made;
  };
  const later: Partial<ReadableStream<Uint8Array>> = {
    get locked() {
      return made?.locked ?? false;
    },
    cancel: async (reason) => (made === undefined ? void message.destroy() : made.cancel(reason)),
    getReader: ((options?: undefined) => stream().getReader(options)) as ReadableStream<Uint8Array>['getReader'],
    pipeThrough: (transform, options) => stream().pipeThrough(transform, options),
    pipeTo: (destination, options) => stream().pipeTo(destination, options),
    tee: () => stream().tee(),
    values: (options) => stream().values(options),
    [Symbol.asyncIterator]: () => stream()[Symbol.asyncIterator](),
  };
  return later as ReadableStream<Uint8Array>;
}
