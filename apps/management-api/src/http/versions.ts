import { invalidRequest } from './errors.ts';

/** Names the version of a thing in the answer that shows it. */
export function setVersion(answer: Headers, version: number): void {
  answer.set('etag', `"${version}"`);
}

/**
 * The versions that a request with `If-Match` may change; `undefined`: any.
 * @throws {ApiFailure} invalid_request for something that is no list of entity tags
 */
export function ifMatchVersions(request: Request): readonly number[] | undefined {
  const header = request.headers.get('if-match')?.trim();
  if (header === undefined || header === '*') return undefined;
  const tags = header.split(',').map((tag) => tag.trim());
  if (!tags.every((tag) => /^(?:W\/)?"[^"]*"$/.test(tag))) throw invalidRequest('if-match: expected entity tags.');
  // Weak ones never match here (RFC 9110 §13.1.1), nor does what was never a version of ours.
  return tags.filter((tag) => /^"\d{1,15}"$/.test(tag)).map((tag) => Number(tag.slice(1, -1)));
}
