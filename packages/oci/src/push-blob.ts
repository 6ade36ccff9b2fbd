import type { BlobStore } from './blob-store.ts';
import type { Descriptor } from './descriptor.ts';
import { OciError } from './error.ts';
import type { PushEvent } from './push-image.ts';
import type { RegistryRequester } from './registry-request.ts';

/** One blob on its way to a registry. */
export interface PushBlobOptions {
  readonly repository: string;
  readonly registry: string;
  readonly origin: string;
  readonly blob: Descriptor;
  readonly blobs: readonly BlobStore[];
  readonly request: RegistryRequester;
  readonly onProgress: (event: PushEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Makes sure that the registry has a blob. One attempt starts with the question, so a repeated one costs nothing
 * when the first arrived after all. The content goes in one streamed PUT: small chunks made pushes many times slower.
 */
export async function pushBlob(options: PushBlobOptions): Promise<'uploaded' | 'skipped'> {
  const { repository, registry, origin, blob, blobs, request, onProgress, signal } = options;
  const { digest, size } = blob;
  const common = { repository, actions: 'pull,push', attempt: `Cannot push blob ${digest}`, signal } as const;
  const url = `/v2/${repository}/blobs/${digest}`;
  const known = await request({ ...common, method: 'HEAD', url, expected: [200, 404] });
  if (known.status === 200) {
    onProgress({ type: 'blob-exists', digest, size, sent: 0 });
    return 'skipped';
  }
  const store = await findStore(blob, blobs);
  onProgress({ type: 'blob-started', digest, size, sent: 0 });
  const started = await request({
    ...common,
    method: 'POST',
    url: `/v2/${repository}/blobs/uploads/`,
    headers: { 'content-length': '0' },
    expected: [202],
  });
  await started.body?.cancel();
  const location = started.headers.get('location');
  // A `fetch` that calls a handler in this process answers without a URL.
  const base = started.url === '' ? origin : started.url;
  if (location === null || !URL.canParse(location, base)) {
    const message = `Cannot push blob ${digest} at ${registry}: no upload location`;
    throw new OciError('SP_OCI_REGISTRY', message, { registry, repository });
  }
  const target = new URL(location, base);
  // Appended as text: the query is the registry's own state, often signed, and has to survive byte for byte.
  target.search += `${target.search === '' ? '' : '&'}digest=${encodeURIComponent(digest)}`;
  const done = await request({
    ...common,
    method: 'PUT',
    url: target,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
    body: async () =>
      counted(await store.read(digest), (sent) => onProgress({ type: 'blob-progress', digest, size, sent })),
    expected: [201, 204],
  });
  await done.body?.cancel();
  onProgress({ type: 'blob-completed', digest, size, sent: size });
  return 'uploaded';
}

async function findStore({ digest, size }: Descriptor, blobs: readonly BlobStore[]): Promise<BlobStore> {
  for (const store of blobs) {
    if ((await store.has(digest)) === size) return store;
  }
  throw new OciError('SP_OCI_BLOB_UNKNOWN', `No blob ${digest} of ${size} bytes in any blob store`, { digest });
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
