import { fromWire } from '@sp/cloud-api/contract';
import { ApiFailure, invalidRequest } from './errors.ts';

/** The most that a request body may hold, in bytes. */
const bodyLimit = 1_048_576;

/** Reads a whole request body, as it came; more than {@link bodyLimit} bytes are a 413 and not read to the end. */
export async function readBytes(request: Request): Promise<Uint8Array> {
  const announced = Number(request.headers.get('content-length') ?? 0);
  if (announced > bodyLimit) throw bodyTooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > bodyLimit) throw bodyTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Reads a JSON body and gives its keys their TypeScript names. */
export async function readJson(request: Request): Promise<unknown> {
  if (mediaType(request) !== 'application/json') throw unsupportedMediaType('application/json');
  const bytes = await readBytes(request);
  try {
    return fromWire(JSON.parse(decode(bytes)));
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw invalidRequest('body: is not valid JSON.');
  }
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

function unsupportedMediaType(expected: string): ApiFailure {
  return new ApiFailure(`content-type: expected ${expected}.`, { status: 415, code: 'unsupported_media_type' });
}
