import { Buffer } from 'node:buffer';
import { CredentialsError } from './credentials-error.ts';
import { noToken } from './login-callback.ts';

/** How to read a token. */
export interface ReadTokenOptions {
  /**
   * The most bytes that are read.
   *
   * @defaultValue 16_384
   */
  readonly maxBytes?: number | undefined;
  /** Gives up with `SP_LOGIN_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The token that is piped in, without the white space around it. More than one word is no token: it may be a prompt or
 * a whole file.
 *
 * @throws {CredentialsError} `SP_LOGIN_NO_TOKEN` (with `reason`), `SP_LOGIN_ABORTED`
 * @example
 * const apiToken = await readTokenFromStream(process.stdin);
 */
export async function readTokenFromStream(
  stream: AsyncIterable<Uint8Array | string>,
  options: ReadTokenOptions = {},
): Promise<string> {
  const { maxBytes = 16_384, signal } = options;
  const token = decode(await readAll(stream, { maxBytes, signal })).trim();
  if (token === '') throw noToken('nothing was piped in');
  if (/[^\x21-\x7e]/.test(token)) throw noToken('what was piped in is not one word of ASCII');
  return token;
}

async function readAll(
  stream: AsyncIterable<Uint8Array | string>,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal | undefined },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const iterator = stream[Symbol.asyncIterator]();
  const stop = stopOf(signal);
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), stop.promise]);
      if (next.done === true) return Buffer.concat(chunks);
      const chunk = typeof next.value === 'string' ? Buffer.from(next.value) : next.value;
      size += chunk.byteLength;
      if (size > maxBytes) throw noToken(`what was piped in is longer than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } finally {
    stop.forget();
    // Not waited for: a stream that nobody writes to would end with its next chunk only.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

/** Rejects when the signal is aborted; a stream that waits for input would not notice. */
function stopOf(signal: AbortSignal | undefined): { readonly promise: Promise<never>; forget(): void } {
  let onAbort: () => void = () => undefined;
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => reject(new CredentialsError('SP_LOGIN_ABORTED', 'The login was given up: aborted'));
    if (signal?.aborted) onAbort();
  });
  promise.catch(() => undefined);
  signal?.addEventListener('abort', onAbort, { once: true });
  return { promise, forget: () => signal?.removeEventListener('abort', onAbort) };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw noToken('what was piped in is not UTF-8');
  }
}
