import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';
import { endToEndHeaders } from './hop-by-hop.ts';

/** Answers without a body, to which `Response` must not be given one. */
const bodiless = new Set([204, 205, 304]);

/**
 * Sends a request to `host:port` and gives the answer as it begins; both bodies are streamed. Over node:http and not
 * `fetch`, because that follows the answer's encoding, refuses `Expect` and ends answers that are silent for five minutes.
 *
 * Rejects when nobody answers.
 */
export async function forward(
  request: Request,
  target: {
    readonly address: string;
    readonly headers: readonly (readonly [string, string])[];
    /** A body that `request` cannot have because of its method. */
    readonly body?: Readable | undefined;
  },
): Promise<Response> {
  const { host, port } = parseAddress(target.address);
  const body = (request.body ?? target.body) as AsyncIterable<Uint8Array> | undefined;
  const url = new URL(request.url);
  const outgoing = httpRequest({
    host,
    port,
    method: request.method,
    path: url.pathname + url.search,
    headers: Object.fromEntries(framed(target.headers, body !== undefined)),
    setHost: false,
    // A connection for each request: one from a pool may have been closed by the tenant at this moment.
    agent: false,
    signal: request.signal,
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  // A tenant may answer and close before it has read everything; what went wrong is told by `answered` then.
  pipeline(body ?? [], outgoing).catch(() => {});
  return toResponse(request, await answered);
}

function toResponse(request: Request, answer: IncomingMessage): Response {
  const { statusCode: status = 502, statusMessage: statusText = '', rawHeaders } = answer;
  const pairs = rawHeaders.flatMap((name, at): [string, string][] =>
    at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : [],
  );
  const headers = new Headers();
  for (const [name, value] of endToEndHeaders(pairs)) headers.append(name, value);
  if (request.method === 'HEAD' || bodiless.has(status)) {
    answer.resume();
    return new Response(null, { status, statusText, headers });
  }
  // Not `Readable.toWeb`: in Node 20 that throws where nobody can catch it when a body is cancelled as it ends.
  const body = ReadableStream.from<Uint8Array>(answer);
  return new Response(body, { status, statusText, headers });
}

/** `host:port`, of which the host may be an IPv6 address in brackets. */
export function parseAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(colon + 1)) };
}

/** A body of unknown length needs its framing said: node:http does not add it for every method. */
function framed(
  headers: readonly (readonly [string, string])[],
  hasBody: boolean,
): readonly (readonly [string, string])[] {
  // The other side would wait for what does not come.
  if (!hasBody) return headers.filter(([name]) => name !== 'content-length');
  if (headers.some(([name]) => name === 'content-length')) return headers;
  return [...headers, ['transfer-encoding', 'chunked']];
}
