import { isOciError, OciError, type OciErrorCode } from './error.ts';
import { readAll } from './file-read.ts';
import type { TransportResponse } from './transport.ts';
import { isObject, parseJsonObject } from './wire.ts';

/** What was asked for, for the error. */
export interface FailureContext {
  readonly registry: string;
  readonly repository?: string | undefined;
  /** What was attempted, as the start of a sentence: `Cannot push blob sha256:…`. */
  readonly attempt: string;
  /** Takes secrets out of a text that a server wrote. */
  redact(text: string): string;
}

const retryableStatus = [408, 425, 429, 500, 502, 503, 504];

/** The error for an answer that is not the expected one. Consumes the answer. */
export async function responseFailure(response: TransportResponse, context: FailureContext): Promise<OciError> {
  const { registry, repository, attempt, redact } = context;
  const { status } = response;
  const said = await registryError(response, redact);
  const detail = said === undefined ? '' : `: ${`${said.code} ${said.message}`.trim()}`;
  return new OciError(codeFor(status), `${attempt} at ${registry}: status ${status}${detail}`, {
    status,
    registry,
    repository,
    registryCode: said?.code,
    retryable: retryableStatus.includes(status),
    retryAfterMilliseconds: retryAfter(response.headers.get('retry-after')),
  });
}

/** The error for a request that got no answer, with the innermost system error as its cause. */
export function networkFailure(error: unknown, { registry, repository, attempt }: FailureContext): OciError {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  // Not the network: the blob that was being sent could not be read.
  if (isOciError(cause)) return cause;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const why = typeof code === 'string' ? code : 'the connection failed';
  const facts = { registry, repository, retryable: true, cause };
  return new OciError('SP_OCI_NETWORK', `${attempt} at ${registry}: ${why}`, facts);
}

function codeFor(status: number): OciErrorCode {
  if (status === 401) return 'SP_OCI_UNAUTHORIZED';
  if (status === 403) return 'SP_OCI_DENIED';
  if (status === 404) return 'SP_OCI_NOT_FOUND';
  return 'SP_OCI_REGISTRY';
}

/** The first error of an OCI error body; anything else says nothing. */
async function registryError(
  response: TransportResponse,
  redact: FailureContext['redact'],
): Promise<{ code: string; message: string } | undefined> {
  try {
    const bytes = response.body === null ? undefined : await readAll(response.body, 16 * 1024);
    const errors = bytes === undefined ? undefined : parseJsonObject(bytes, 'answer')['errors'];
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    if (!isObject(first)) return undefined;
    return { code: oneLine(first['code'], redact), message: oneLine(first['message'], redact) };
  } catch {
    return undefined;
  }
}

function oneLine(value: unknown, redact: FailureContext['redact']): string {
  // Secrets first: what is cut or joined is no longer found.
  return typeof value === 'string'
    ? redact(value)
        .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
        .slice(0, 200)
    : '';
}

function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^[0-9]+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : undefined;
}
