import { gzipSync } from 'node:zlib';
import type { SyncErrorCode } from '../sync-error.ts';
import { isSyncError } from '../sync-error.ts';

const statuses: Readonly<Partial<Record<SyncErrorCode, number>>> = {
  SP_SYNC_UNSAFE_PATH: 422,
  SP_SYNC_TOO_LARGE: 413,
  SP_SYNC_DAMAGED: 400,
  SP_SYNC_MOVED: 409,
  SP_SYNC_LOCKED: 503,
  SP_SYNC_NOTHING_TO_UNDO: 404,
};

/** JSON, compressed when it is worth it. */
export function jsonAnswer(body: unknown, status = 200): Response {
  const text = JSON.stringify(body);
  const headers: Record<string, string> = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  if (text.length < 2000) return new Response(text, { status, headers });
  return new Response(gzipSync(text, { level: text.length > 4_000_000 ? 1 : 6 }), {
    status,
    headers: { ...headers, 'content-encoding': 'gzip' },
  });
}

export function refusal(status: number, code: string, message: string, paths?: readonly string[]): Response {
  return jsonAnswer({ error: { code, message, ...(paths === undefined ? {} : { paths }) } }, status);
}

/** What went wrong, without what only concerns this computer. */
export function failureAnswer(error: unknown, onError: (error: unknown) => void): Response {
  const status = isSyncError(error) ? statuses[error.code] : undefined;
  if (!isSyncError(error) || status === undefined) {
    onError(error);
    return refusal(500, 'internal', 'The files cannot be used.');
  }
  const { code, message, path, paths } = error;
  const all = paths ?? (path === undefined || path.startsWith('/') ? undefined : [path]);
  const text = code === 'SP_SYNC_UNSAFE_PATH' || code === 'SP_SYNC_TOO_LARGE' || code === 'SP_SYNC_DAMAGED';
  return refusal(status, code, text ? message : 'The files are not as they were, or in use.', all);
}
