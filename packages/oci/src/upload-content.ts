import { delay } from './abortable.ts';
import type { BlobStore } from './blob-store.ts';
import { isOciError, OciError } from './error.ts';
import type { BlobPush } from './push-blob.ts';
import type { RegistryAnswer, RegistryRequest } from './registry-request.ts';
import { pauseBefore } from './retry.ts';

/** Up to this size a blob goes in one request; beyond it, it is worth being able to go on after a cut. */
const resumableSize = 1024 * 1024;

type Sending = BlobPush & { readonly store: BlobStore };

/** Sends a blob to an upload that was started, and finishes the upload. */
export async function sendContent(location: URL, options: Sending): Promise<void> {
  const { blob, request } = options;
  if (blob.size <= resumableSize) {
    const url = withDigest(location, blob.digest);
    const done = await request({
      ...common(options),
      method: 'PUT',
      url,
      ...content(options, 0),
      expected: [201, 204],
    });
    await done.body?.cancel();
    return;
  }
  const url = withDigest(await sendResumably(location, options), blob.digest);
  const headers = { 'content-length': '0' };
  const done = await request({ ...common(options), method: 'PUT', url, headers, expected: [201, 204] });
  await done.body?.cancel();
}

/** Goes on after a cut where the registry says that it is. As long as something arrives, it is not given up. */
async function sendResumably(start: URL, options: Sending): Promise<URL> {
  const { blob, request, retry, signal } = options;
  let location = start;
  let offset = 0;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const sent = content(options, offset);
      const range = offset === 0 ? {} : { 'content-range': `${offset}-${blob.size - 1}` };
      const headers = { ...sent.headers, ...range };
      const answer = await request({
        ...common(options),
        method: 'PATCH',
        url: location,
        ...sent,
        headers,
        expected: [202],
      });
      await answer.body?.cancel();
      return uploadLocation(answer, options);
    } catch (error) {
      signal.throwIfAborted();
      if (!isOciError(error) || !isPassing(error) || attempt >= retry.retries) throw error;
      await delay(pauseBefore(attempt, error, retry), signal);
      const arrived = await progressOf(location, options);
      // It forgot the upload, or has something that was not sent: from the beginning, in a new one.
      if (arrived === undefined || arrived.offset > blob.size) throw error;
      if (arrived.offset > offset) attempt = -1;
      ({ location, offset } = arrived);
      if (offset === blob.size) return location;
    }
  }
}

/** Also that the registry still waits for the connection that was cut, or took more of it than it said. */
function isPassing({ retryable, status }: OciError): boolean {
  return retryable || status === 409 || status === 416;
}

/** How much of an upload has arrived, and where to go on. */
async function progressOf(location: URL, options: Sending): Promise<{ location: URL; offset: number } | undefined> {
  const answer = await options.request({ ...common(options), method: 'GET', url: location, expected: [204, 200, 404] });
  await answer.body?.cancel();
  const end = /^(?:bytes=)?0-([0-9]+)$/.exec(answer.headers.get('range') ?? '')?.[1];
  if (answer.status === 404) return undefined;
  // `0-0` also stands for nothing at all.
  const offset = end === undefined || end === '0' ? 0 : Number(end) + 1;
  return { location: answer.headers.get('location') === null ? location : uploadLocation(answer, options), offset };
}

/** Where an upload goes on. */
export function uploadLocation(
  answer: RegistryAnswer,
  { registry, repository, blob }: Pick<BlobPush, 'registry' | 'repository' | 'blob'>,
): URL {
  const location = answer.headers.get('location');
  if (location !== null && URL.canParse(location, answer.url.href)) return new URL(location, answer.url.href);
  const message = `Cannot push blob ${blob.digest} at ${registry}: no upload location`;
  throw new OciError('SP_OCI_REGISTRY', message, { registry, repository });
}

/** Appended as text: the query is the registry's own state, often signed, and has to survive byte for byte. */
function withDigest(location: URL, digest: string): URL {
  const url = new URL(location.href);
  url.search += `${url.search === '' ? '' : '&'}digest=${encodeURIComponent(digest)}`;
  return url;
}

function common({
  repository,
  blob,
  signal,
}: Sending): Pick<RegistryRequest, 'repository' | 'actions' | 'attempt' | 'signal'> {
  return { repository, actions: 'pull,push', attempt: `Cannot push blob ${blob.digest}`, signal };
}

function content(options: Sending, offset: number): Required<Pick<RegistryRequest, 'headers' | 'body'>> {
  const { blob, store, onProgress } = options;
  const { digest, size } = blob;
  return {
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(size - offset) },
    body: async () =>
      counted(await store.read(digest, { start: offset, end: size }), (sent) =>
        onProgress({ type: 'blob-progress', digest, size, sent: offset + sent }),
      ),
  };
}

function counted(body: ReadableStream<Uint8Array>, onBytes: (sent: number) => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let sent = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await reader.read();
        if (next.done) {
          controller.close();
          return;
        }
        sent += next.value.byteLength;
        onBytes(sent);
        controller.enqueue(next.value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
