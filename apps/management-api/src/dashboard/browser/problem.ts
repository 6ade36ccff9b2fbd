import { type CloudApiErrorCode, isCloudApiError } from '@sp/cloud-api';

const sentences: Readonly<Partial<Record<CloudApiErrorCode, string>>> = {
  SP_API_NETWORK: 'The cloud does not answer. `systemprompt cloud local up` starts it again.',
  SP_API_TIMEOUT: 'The cloud took too long to answer. Try it again.',
  SP_API_RATE_LIMITED: 'That was too much at once. Wait a moment and try it again.',
  SP_API_SERVER: 'The cloud could not do it. Its log says why: `systemprompt cloud local logs`.',
  SP_API_UNAUTHORIZED: 'Your login has ended. Log in again.',
  SP_API_INVALID_RESPONSE: 'The cloud answered something that this page does not understand. Reload the page.',
};

/** Whether it only says that nobody waits for the answer any more. */
export function isAborted(error: unknown): boolean {
  return isCloudApiError(error) && error.code === 'SP_API_ABORTED';
}

/** One sentence for a person, and the name under which the request is in the logs. */
export function describeProblem(error: unknown): { readonly text: string; readonly requestId?: string | undefined } {
  if (!isCloudApiError(error)) return { text: error instanceof Error ? error.message : String(error) };
  // What the server said itself comes behind the call that it was about.
  const said = error.message.split(/ was answered \d+: /)[1];
  return { text: sentences[error.code] ?? said ?? `${error.message}.`, requestId: error.requestId };
}
