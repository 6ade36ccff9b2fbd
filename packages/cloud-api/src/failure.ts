import * as z from 'zod/mini';
import { apiErrorSchema, requestIdHeader } from './contract/errors.ts';
import { CloudApiError, type CloudApiErrorCode } from './errors.ts';
import { parseUrl } from './parse-url.ts';
import { readText } from './read-text.ts';
import { fromAnswer } from './wire.ts';

const codes: Readonly<Record<number, CloudApiErrorCode>> = {
  401: 'SP_API_UNAUTHORIZED',
  403: 'SP_API_FORBIDDEN',
  404: 'SP_API_NOT_FOUND',
  409: 'SP_API_CONFLICT',
  410: 'SP_API_GONE',
  412: 'SP_API_CONFLICT',
  429: 'SP_API_RATE_LIMITED',
};

/** The error of an answer that is not a success; `what` names the call, as `GET /api/v1/tenants`. */
export async function errorOfResponse(response: Response, what: string): Promise<CloudApiError> {
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    return errorOfRedirect(response, what);
  }
  const text = (await readText(response).catch(() => undefined)) ?? '';
  const body = z.safeParse(apiErrorSchema, fromAnswer(parseJson(text)));
  // One line, and nothing that a terminal would obey.
  const said = body.success ? body.data.error.message : text.slice(0, 200);
  const detail = said
    .slice(0, 500)
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .trim();
  return new CloudApiError({
    code: codes[response.status] ?? (response.status >= 500 ? 'SP_API_SERVER' : 'SP_API_REJECTED'),
    message: `${what} was answered ${response.status}${detail === '' ? '' : `: ${detail}`}`,
    status: response.status,
    serverCode: body.success ? body.data.error.code : undefined,
    requestId:
      response.headers.get(requestIdHeader) ?? (body.success ? body.data.error.requestId : undefined) ?? undefined,
    retryable: response.status === 429 || response.status >= 500,
  });
}

/** A redirect is not followed: what is sent (tokens, secrets) is for this server only. Browsers do not say where it leads. */
async function errorOfRedirect(response: Response, what: string): Promise<CloudApiError> {
  await response.body?.cancel().catch(() => undefined);
  const target = parseUrl(response.headers.get('location') ?? '', response.url || undefined);
  return new CloudApiError({
    code: 'SP_API_INVALID_RESPONSE',
    message: `${what} was redirected to ${target?.origin ?? 'another address'}, which is not followed`,
    status: response.status,
  });
}

/** The error of a call that got no answer at all. */
export function errorOfFailure(failure: unknown, what: string, origin: string, signal?: AbortSignal): CloudApiError {
  if (failure instanceof CloudApiError) return failure;
  if (signal?.aborted === true && !isTimeout(signal.reason)) {
    return new CloudApiError({ code: 'SP_API_ABORTED', message: `${what} was aborted` });
  }
  if (isTimeout(failure) || isTimeout(signal?.reason)) {
    return new CloudApiError({
      code: 'SP_API_TIMEOUT',
      message: `${what} got no answer from ${origin} in time`,
      retryable: true,
    });
  }
  const systemCode = systemCodeOf(failure);
  return new CloudApiError({
    code: 'SP_API_NETWORK',
    message: `${what} could not reach ${origin}${systemCode === undefined ? '' : ` (${systemCode})`}`,
    retryable: true,
    systemCode,
  });
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Node wraps the reason of a failed fetch once or several times (`cause`, `errors`). */
function systemCodeOf(failure: unknown): string | undefined {
  for (let error: unknown = failure, depth = 0; depth < 5 && typeof error === 'object' && error !== null; depth += 1) {
    if ('code' in error && typeof error.code === 'string') return error.code;
    if ('errors' in error && Array.isArray(error.errors)) error = error.errors[0];
    else error = 'cause' in error ? error.cause : undefined;
  }
  return undefined;
}
