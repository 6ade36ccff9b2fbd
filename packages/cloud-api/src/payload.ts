import * as z from 'zod/mini';
import type { Endpoint } from './contract/endpoint.ts';
import { requestIdHeader } from './contract/errors.ts';
import type { Deadline } from './deadline.ts';
import { CloudApiError } from './errors.ts';
import { errorOfFailure, parseJson } from './failure.ts';
import { readText } from './read-text.ts';
import { fromAnswer } from './wire.ts';

/** The value of a successful answer, checked against the contract. */
export async function readPayload(
  response: Response,
  facts: { readonly endpoint: Endpoint; readonly what: string; readonly origin: string; readonly deadline: Deadline },
): Promise<unknown> {
  const { endpoint, what, origin, deadline } = facts;
  const text = await readText(response).catch((error: unknown) => {
    throw errorOfFailure(error, what, origin, deadline.signal);
  });
  const body = text === undefined ? undefined : fromAnswer(parseJson(text));
  const payload = endpoint.envelope === 'data' ? (body as { data?: unknown } | undefined)?.data : body;
  const result = z.safeParse(endpoint.response as z.ZodMiniType, payload);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where =
    text === undefined ? 'too long a text' : `unexpected content at \`${issue?.path.join('.') || 'the top'}\``;
  throw new CloudApiError({
    code: 'SP_API_INVALID_RESPONSE',
    message: `${what} was answered with ${where}`,
    status: response.status,
    requestId: response.headers.get(requestIdHeader) ?? undefined,
  });
}
