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
  let parsed: unknown;
  let fault: string | undefined;
  try {
    const text = decode(bytes);
    parsed = JSON.parse(text);
    if (mayBeFaulty.test(text)) fault = faultIn(parsed);
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw invalidRequest('body: is not valid JSON.');
  }
  if (fault !== undefined) throw invalidRequest(`body: ${fault}.`);
  return fromWire(parsed);
}

/** Halves of characters and NUL can only be written out; `__proto__` in other ways too, but then with an escape. */
const mayBeFaulty = /\\u|__proto__/;

/** What is wrong with a text or name somewhere: the database would refuse it or keep another one. */
function faultIn(value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (value.includes('\0')) return 'holds a NUL character';
    return /\p{Surrogate}/u.test(value) ? 'holds half of a surrogate pair, which is no character' : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const fault = name === '__proto__' ? 'has a member __proto__' : (faultIn(name) ?? faultIn(member));
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Reads an `application/x-www-form-urlencoded` body. */
export async function readForm(request: Request): Promise<URLSearchParams> {
  if (!isForm(request)) throw unsupportedMediaType('application/x-www-form-urlencoded');
  const bytes = await readBytes(request);
  let form: URLSearchParams;
  try {
    form = new URLSearchParams(decode(bytes));
  } catch {
    throw invalidRequest('body: is not valid UTF-8.');
  }
  if ([...form].flat().some((text) => text.includes('\0'))) throw invalidRequest('body: holds a NUL character.');
  return form;
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
