import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { isSyncError, SyncError, type SyncErrorCode, systemCode, throwIfAborted } from '../sync-error.ts';
import type { SyncOptions } from '../sync-options.ts';
import { failureSchema } from '../wire/messages.ts';
import { type SyncBody, type SyncResponse, sendByFetch, sendByHttp } from './sync-transport.ts';

/** One request to a tenant. */
export interface SyncCall {
  readonly method: 'GET' | 'POST';
  /** Below the server's URL. */
  readonly path: string;
  /** Made anew for every attempt. */
  readonly body?: (() => SyncBody | Promise<SyncBody>) | undefined;
  /** Of the body; asked for when that was made. */
  readonly type?: (() => string) | undefined;
  /** Statuses that are an answer; everything else is thrown. @defaultValue 200 alone */
  readonly expected?: readonly number[] | undefined;
}

/** Sends a request, again and again while the tenant is in trouble. */
export type SyncRequest = <T>(call: SyncCall, read: (response: SyncResponse) => Promise<T>) => Promise<T>;

/** No answer is longer than that. */
const maxTextBytes = 256 * 1024 * 1024;

const codes: ReadonlySet<string> = new Set<SyncErrorCode>([
  'SP_SYNC_UNSAFE_PATH',
  'SP_SYNC_TOO_LARGE',
  'SP_SYNC_DAMAGED',
  'SP_SYNC_MOVED',
  'SP_SYNC_LOCKED',
  'SP_SYNC_NOTHING_TO_UNDO',
]);

export function createSyncRequest({ remote, signal, onEvent }: SyncOptions): SyncRequest {
  const { url, token, retries = 4, retryDelayMs = 2000, timeoutMs = 60_000 } = remote;
  const send = remote.fetch === undefined ? sendByHttp : sendByFetch(remote.fetch);

  async function once<T>(call: SyncCall, read: (response: SyncResponse) => Promise<T>): Promise<T> {
    const { method, path, body, type, expected = [200] } = call;
    const silence = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let waits = 0;
    const wait = (milliseconds: number): void => {
      if (timer !== undefined && milliseconds === waits) timer.refresh();
      else {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), milliseconds);
        waits = milliseconds;
      }
    };
    wait(timeoutMs);
    let isSent = false;
    try {
      const authorization = `Bearer ${typeof token === 'function' ? await token() : token}`;
      const made = await body?.();
      // As long as something goes it is not silence. Then the tenant has to write it all.
      const content =
        made === undefined
          ? undefined
          : outgoing(
              made,
              () => wait(timeoutMs),
              () => {
                isSent = true;
                wait(10 * timeoutMs);
              },
            );
      const response = await send({
        method,
        url: new URL(path, url),
        headers: { authorization, ...(type === undefined ? {} : { 'content-type': type() }) },
        signal: signal === undefined ? silence.signal : AbortSignal.any([silence.signal, signal]),
        body: content,
      });
      if (!expected.includes(response.status)) throw await failureOf(response, path);
      wait(timeoutMs);
      return await read(watched(response, () => wait(timeoutMs)));
    } catch (error) {
      throwIfAborted(signal);
      if (isSyncError(error)) throw error;
      throw networkError(path, silence.signal.aborted ? new Error(`silent for ${timeoutMs} ms`) : error);
    } finally {
      clearTimeout(timer);
      // Answered before everything was sent: the rest is of no use to anybody.
      if (body !== undefined && !isSent) silence.abort();
    }
  }

  return async (call, read) => {
    for (let attempt = 1; ; attempt += 1) {
      throwIfAborted(signal);
      try {
        return await once(call, read);
      } catch (error) {
        if (attempt > retries || !isSyncError(error) || !error.retryable || error.code === 'SP_SYNC_MOVED') throw error;
        onEvent?.({ type: 'transfer-retried', attempt, reason: error.message });
        await delay(Math.min(30_000, retryDelayMs * 2 ** (attempt - 1)), undefined, signal ? { signal } : {}).catch(
          () => {},
        );
      }
    }
  };
}

/** A body, with every piece that is taken of it told, and the end. */
function outgoing(body: SyncBody, onPiece: () => void, onEnd: () => void): SyncBody {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return told(body, onPiece, onEnd);
  onEnd();
  return body;
}

async function* told(
  pieces: AsyncIterable<Uint8Array>,
  onPiece: () => void,
  onEnd: () => void = () => {},
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    onPiece();
    yield piece;
  }
  onEnd();
}

/** The response, with every piece of its body told. */
function watched(response: SyncResponse, onPiece: () => void): SyncResponse {
  return { ...response, body: told(response.body, onPiece) };
}

/** All of a body as text. A `fetch` that somebody made may leave it as it was compressed; its header does not tell. */
export async function textOf({ body }: SyncResponse): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return (isGzip ? gunzipSync(bytes, { maxOutputLength: maxTextBytes }) : bytes).toString('utf8');
}

async function failureOf(response: SyncResponse, path: string): Promise<SyncError> {
  const { status } = response;
  const text = await textOf(response).catch(() => '');
  const facts = { status, retryable: [429, 502, 503, 504].includes(status) };
  if (status === 401 || status === 403) {
    return new SyncError('SP_SYNC_UNAUTHORIZED', `Tenant refused the sync token: it answered ${status}`, facts);
  }
  const { error } = failureSchema.safeParse(parseJson(text)).data ?? {};
  if (error !== undefined && codes.has(error.code)) {
    const { code, message, paths } = error;
    return new SyncError(code as SyncErrorCode, `Tenant refused: ${message.slice(0, 500)}`, {
      ...facts,
      paths,
      retryable: facts.retryable || code === 'SP_SYNC_MOVED',
    });
  }
  return new SyncError('SP_SYNC_REMOTE', `Tenant answered ${status} to ${path.split('?', 1)[0]}`, facts);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The innermost reason; what is around it may hold headers. */
function networkError(path: string, error: unknown): SyncError {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  const why = systemCode(cause) ?? (cause instanceof Error ? cause.message : 'unknown reason');
  const message = `Cannot reach the tenant for ${path.split('?', 1)[0]}: ${why}`;
  return new SyncError('SP_SYNC_NETWORK', message, { retryable: true, cause });
}
