import type { BlobStore } from './blob-store.ts';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { OciError } from './error.ts';
import type { OciImage } from './image.ts';
import { pushBlob } from './push-blob.ts';
import type { RegistryRequester } from './registry-request.ts';
import { withRetry } from './retry.ts';
import { together } from './together.ts';

/** What happens to a blob during a push. `sent` falls back when a part of an upload got lost. */
export interface PushEvent {
  /** `blob-exists`: it is not sent; else how far the sending is. */
  readonly type: 'blob-exists' | 'blob-started' | 'blob-progress' | 'blob-completed';
  /** The blob that the event is about. */
  readonly digest: Digest;
  /** Length of the blob in bytes. */
  readonly size: number;
  /** Bytes handed to the connection so far. */
  readonly sent: number;
}

/** Options of a push. */
export interface PushImageOptions {
  /** The repository that the image goes to. */
  readonly repository: string;
  /** Tag or digest that the image gets. */
  readonly reference: string;
  /** Where the blobs are; searched in order. */
  readonly blobs: readonly BlobStore[];
  /** Other repositories of the registry that may have layers already, and that the user may read: those are not sent. */
  readonly mountFrom?: readonly string[] | undefined;
  /** Uploads at the same time. @defaultValue 3 */
  readonly concurrency?: number | undefined;
  /** Called for every blob, and for every piece of it that is sent. */
  readonly onProgress?: ((event: PushEvent) => void) | undefined;
  /** Stops the push. Blobs that are complete stay in the registry; the tag does not move. */
  readonly signal?: AbortSignal | undefined;
}

/** What a push did. */
export interface PushResult {
  /** Digest of the manifest. */
  readonly digest: Digest;
  /** Bytes of them. */
  readonly uploadedBytes: number;
  /** Blobs that were sent. */
  readonly uploadedBlobs: number;
  /** Blobs that the registry had already. */
  readonly skippedBlobs: number;
}

/** What a push needs of the client. */
export interface PushContext {
  readonly request: RegistryRequester;
  readonly resolve: (
    repository: string,
    reference: string,
    options?: { signal?: AbortSignal | undefined },
  ) => Promise<Descriptor | undefined>;
  readonly registry: string;
  readonly retries: number;
  readonly delayMilliseconds: number;
}

export async function pushImage(image: OciImage, options: PushImageOptions, context: PushContext): Promise<PushResult> {
  const { repository, reference, blobs, mountFrom = [], concurrency = 3, onProgress = () => {}, signal } = options;
  const { request, registry, retries, delayMilliseconds } = context;
  const { digest } = image.manifest;
  const unique = new Map([...image.layers, image.config].map((blob) => [blob.digest, blob]));
  // A registry takes a manifest only when it has the blobs: the same manifest means that all of them are there.
  if ((await context.resolve(repository, reference, { signal }))?.digest === digest) {
    for (const { digest, size } of unique.values()) onProgress({ type: 'blob-exists', digest, size, sent: 0 });
    return { digest, uploadedBytes: 0, uploadedBlobs: 0, skippedBlobs: unique.size };
  }
  const result = { digest, uploadedBytes: 0, uploadedBlobs: 0, skippedBlobs: 0 };
  // Largest first: the longest upload decides when the push is done.
  const queue = Array.from(unique.values()).sort((a, b) => b.size - a.size);
  await together(concurrency, signal, async (abort) => {
    for (let blob = queue.shift(); blob !== undefined; blob = queue.shift()) {
      const { size } = blob;
      const retry = { retries, delayMilliseconds, signal: abort };
      const call = { repository, blob, blobs, mountFrom, onProgress, request, registry, retry, signal: abort };
      const outcome = await withRetry(() => pushBlob(call), retry);
      if (outcome === 'skipped') result.skippedBlobs += 1;
      else {
        result.uploadedBlobs += 1;
        result.uploadedBytes += size;
      }
    }
  });
  await withRetry(() => putManifest(image, options, context), { retries, delayMilliseconds, signal });
  return result;
}

async function putManifest(image: OciImage, options: PushImageOptions, context: PushContext): Promise<void> {
  const { repository, reference, signal } = options;
  const { digest, mediaType } = image.manifest;
  const response = await context.request({
    method: 'PUT',
    url: `/v2/${repository}/manifests/${reference}`,
    repository,
    actions: 'pull,push',
    headers: { 'content-type': mediaType },
    body: () => Promise.resolve(image.manifestBytes),
    expected: [200, 201, 202],
    attempt: `Cannot push ${repository}:${reference}`,
    signal,
  });
  await response.body?.cancel();
  const stored = response.headers.get('docker-content-digest');
  if (stored === null || stored === digest) return;
  const message = `Manifest ${digest} became ${stored} at ${context.registry}`;
  throw new OciError('SP_OCI_DIGEST_MISMATCH', message, { registry: context.registry, repository, digest });
}
