import { fromWire } from '@sp/cloud-api/contract';
import { ApiFailure, invalidRequest } from './errors.ts';

/** The most that a request body may hold, in bytes. */
const bodyLimit = 1_048_576;

/** How long a request body may take, in milliseconds. */
const bodyTimeoutMs = 30_000;

/**
 * Reads a whole request body, as it came; more than {@link bodyLimit} bytes are a 413 and not read to the end, and one
 * that takes longer than {@link bodyTimeoutMs} is a 408.
 */
export async function readBytes(
  request: Request,
  { timeoutMs = bodyTimeoutMs }: { readonly timeoutMs?: number | undefined } = {},
): Promise<Uint8Array> {
  const { headers, body } = request;
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new ApiFailure('content-encoding: expected none.', { status: 415, code: 'unsupported_media_type' });
  }
  if (Number(headers.get('content-length') ?? 0) > bodyLimit) throw bodyTooLarge();
  if (body === null) return new Uint8Array();
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(bodyTooSlow(timeoutMs)), timeoutMs);
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    while (true) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) return Buffer.concat(chunks);
      size += value.byteLength;
      if (size > bodyLimit) throw bodyTooLarge();
      chunks.push(value);
    }
  } catch (error) {
    // Not waited for: what is slow to send is slow to end.
    reader.cancel().catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Reads a JSON body and gives its keys their TypeScript names. */
export async function readJson(request: Request): Promise<unknown> {
  if (mediaType(request) !== 'application/json') throw unsupportedMediaType('application/json');
  const bytes = await readBytes(request);
  try {
    const text = decode(bytes);
    const parsed: unknown = JSON.parse(text);
    if (!mayHoldHalves.test(text) || !holdsHalf(parsed)) return fromWire(parsed);
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw invalidRequest('body: is not valid JSON.');
  }
  throw invalidRequest('body: holds half of a surrogate pair, which is no character.');
}

/** In UTF-8 there are none: they can only be written out. */
const mayHoldHalves = /\\u[dD][89a-fA-F]/;

/** Whether a text somewhere would come out of the database as another one. */
function holdsHalf(value: unknown): boolean {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, member]) => holdsHalf(name) || holdsHalf(member));
}

/** Reads an `application/x-www-form-urlencoded` body. */
export async function readForm(request: Request): Promise<URLSearchParams> {
  if (!isForm(request)) throw unsupportedMediaType('application/x-www-form-urlencoded');
  const bytes = await readBytes(request);
  try {
    return new URLSearchParams(decode(bytes));
  } catch {
    throw invalidRequest('body: is not valid UTF-8.');
  }
}

/** Whether the body announces itself as a form. */
export function isForm(request: Request): boolean {
  return mediaType(request) === 'application/x-www-form-urlencoded';
}

function mediaType(request: Request): string | undefined {
  return request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

function bodyTooLarge(): ApiFailure {
  return new ApiFailure(`The body is larger than ${bodyLimit} bytes.`, { status: 413, code: 'body_too_large' });
}

function bodyTooSlow(timeoutMs: number): ApiFailure {
  return new ApiFailure(`The body did not come within ${Math.ceil(timeoutMs / 1000)} seconds.`, {
    status: 408,
    code: 'body_too_slow',
    headers: { connection: 'close' },
  });
}

function unsupportedMediaType(expected: string): ApiFailure {
  return new ApiFailure(`content-type: expected ${expected}.`, { status: 415, code: 'unsupported_media_type' });
}
