import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether a request carries the token: compared in the same time for every wrong one, also for one of another length. */
export function isAuthorized(request: Request, token: string | undefined): boolean {
  const given = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  const isSame = timingSafeEqual(digest(given ?? ''), digest(token ?? ''));
  // Without a token nobody gets in, with an empty one neither.
  return isSame && given !== undefined && token !== undefined && token !== '';
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
