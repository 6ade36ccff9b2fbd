import { parseByteRange } from './byte-range.ts';
import type { Digest } from './digest.ts';
import { answer, errorAnswer } from './registry-answer.ts';
import type { RegistryStorage } from './registry-storage.ts';

/** GET and HEAD of a blob, whole or in part. */
export async function serveBlob(
  storage: RegistryStorage,
  target: { readonly request: Request; readonly repository: string; readonly digest: Digest },
): Promise<Response> {
  const { request, repository, digest } = target;
  const size = await storage.hasBlob(repository, digest);
  if (size === undefined) {
    return errorAnswer(404, { code: 'BLOB_UNKNOWN', message: 'no such blob in this repository', detail: { digest } });
  }
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    // Content never changes under its digest.
    etag: `"${digest}"`,
    'cache-control': 'private, max-age=31536000, immutable',
  };
  const range = request.method === 'GET' ? parseByteRange(request.headers.get('range'), size) : undefined;
  if (range === 'unsatisfiable') {
    const error = { code: 'SIZE_INVALID', message: 'the range is beyond the blob' } as const;
    return errorAnswer(416, error, { 'content-range': `bytes */${size}` });
  }
  if (request.method === 'HEAD') return answer(200, { ...headers, 'content-length': String(size) });
  const body = await storage.blobs.read(digest, range);
  if (range === undefined) return answer(200, { ...headers, 'content-length': String(size) }, body);
  const { start, end } = range;
  const part = { 'content-length': String(end - start), 'content-range': `bytes ${start}-${end - 1}/${size}` };
  return answer(206, { ...headers, ...part }, body);
}
