import type { Agent, ClientRequest, request as httpRequest, IncomingMessage } from 'node:http';

/** What is sent. */
export interface TransportRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | ReadableStream<Uint8Array> | undefined;
  readonly signal: AbortSignal;
}

/** What comes back: as much of a `Response` as is used here. */
export interface TransportResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStream<Uint8Array> | null;
}

/** Sends one request; redirects are answers. */
export type Transport = (url: URL, request: TransportRequest) => Promise<TransportResponse>;

/** A transport over a `fetch`. */
export function createFetchTransport(fetch: typeof globalThis.fetch): Transport {
  return (url, { method, headers, body, signal }) => {
    const init: RequestInit = { method, headers, signal, redirect: 'manual' };
    return fetch(url, body === undefined ? init : Object.assign(init, { body, duplex: 'half' }));
  };
}

interface HttpModule {
  readonly request: typeof httpRequest;
  readonly agent: Agent;
}

/**
 * A transport over node:http and node:https. On Node 20 the first use of the global `fetch` costs several times the
 * start of Node itself, and each chunk of an upload more than here.
 */
export function createHttpTransport(): Transport {
  const modules = new Map<string, Promise<HttpModule>>();
  const load = async (protocol: string): Promise<HttpModule> => {
    const { Agent, request } = protocol === 'http:' ? await import('node:http') : await import('node:https');
    return { request, agent: new Agent({ keepAlive: true }) };
  };
  return async (url, { method, headers, body, signal }) => {
    signal.throwIfAborted();
    const module = modules.get(url.protocol) ?? load(url.protocol);
    modules.set(url.protocol, module);
    const { request, agent } = await module;
    const outgoing = request(url, { method, headers, signal, agent });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve);
      outgoing.once('error', reject);
    });
    // Errors after the answer come out of the body; without a listener they would end the process.
    answered.catch(() => {});
    outgoing.on('error', () => {});
    const sending = send(outgoing, body, answered);
    const incoming = await Promise.race([answered, sending.then(() => answered)]);
    const { statusCode = 0 } = incoming;
    const empty =
      method === 'HEAD' || incoming.headers['content-length'] === '0' || statusCode === 204 || statusCode === 304;
    // Read to its end, so that the connection can be used again.
    if (empty) incoming.resume();
    return {
      status: statusCode,
      headers: { get: (name) => joined(incoming.headers[name]) },
      body: empty ? null : bodyOf(incoming),
    };
  };
}

/** Writes the body, as fast as the connection takes it and only until there is an answer. */
async function send(
  outgoing: ClientRequest,
  body: Uint8Array | ReadableStream<Uint8Array> | undefined,
  answered: Promise<IncomingMessage>,
): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    outgoing.end(body);
    return;
  }
  let early: IncomingMessage | undefined;
  const watch = async (): Promise<void> => {
    // Without an answer the connection is gone, and the loop below sees that.
    early = await answered.catch(() => undefined);
  };
  const over = watch();
  const reader = body.getReader();
  try {
    for (;;) {
      const next = await reader.read();
      if (early !== undefined || next.done || outgoing.destroyed) break;
      if (!outgoing.write(next.value)) await Promise.race([drained(outgoing), over]);
    }
  } catch (error) {
    // The source failed: a request that ends in the middle must not look complete.
    outgoing.destroy(error as Error);
    throw error;
  } finally {
    await reader.cancel().catch(() => {});
  }
  // Refused before everything was sent: the connection is of no use afterwards.
  if (early === undefined) outgoing.end();
  else for (const event of ['end', 'close']) early.once(event, () => outgoing.destroy());
}

function drained(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done).off('close', done);
      resolve();
    };
    outgoing.on('drain', done).on('close', done);
  });
}

function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Buffer> = incoming[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      cancel() {
        incoming.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}

function joined(value: string | string[] | undefined): string | null {
  return Array.isArray(value) ? value.join(', ') : (value ?? null);
}
