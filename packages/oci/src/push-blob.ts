import type { BlobStore } from './blob-store.ts';
import type { Descriptor } from './descriptor.ts';
import { digestOfStream } from './digest.ts';
import { isOciError, OciError } from './error.ts';
import type { PushEvent } from './push-image.ts';
import type { RegistryAnswer, RegistryRequester } from './registry-request.ts';
import type { RetryOptions } from './retry.ts';
import { sendContent, uploadLocation } from './upload-content.ts';

/** One blob on its way to a registry. */
export interface BlobPush {
  readonly repository: string;
  readonly registry: string;
  readonly blob: Descriptor;
  readonly blobs: readonly BlobStore[];
  /** Repositories of the same registry that may have the blob. */
  readonly mountFrom: readonly string[];
  /** Whether the registry is asked for it first. */
  readonly isAsked: boolean;
  readonly request: RegistryRequester;
  readonly onProgress: (event: PushEvent) => void;
  readonly retry: RetryOptions;
  readonly signal: AbortSignal;
}

/**
 * Makes sure that the registry has a blob. One attempt starts with the question, at least a repeated one, so that it costs
 * nothing when the first arrived after all. The content goes in one streamed request: small chunks made pushes many times slower.
 */
export async function pushBlob(options: BlobPush): Promise<'uploaded' | 'skipped'> {
  const { repository, blob, blobs, request, onProgress, signal } = options;
  const { digest, size } = blob;
  const common = { repository, actions: 'pull,push', attempt: `Cannot push blob ${digest}`, signal } as const;
  const url = `/v2/${repository}/blobs/${digest}`;
  const known = options.isAsked ? await request({ ...common, method: 'HEAD', url, expected: [200, 404] }) : undefined;
  if (known?.status === 200) {
    onProgress({ type: 'blob-exists', digest, size, sent: 0 });
    return 'skipped';
  }
  await known?.body?.cancel();
  const mounted = await mountBlob(options);
  if (mounted === 'mounted') {
    onProgress({ type: 'blob-exists', digest, size, sent: 0 });
    return 'skipped';
  }
  const store = await findStore(blob, blobs);
  onProgress({ type: 'blob-started', digest, size, sent: 0 });
  const started = mounted ?? (await startUpload(options));
  await started.body?.cancel();
  try {
    await sendContent(uploadLocation(started, options), { ...options, store });
  } catch (error) {
    await checkSource(error, { store, blob });
    throw error;
  }
  onProgress({ type: 'blob-completed', digest, size, sent: size });
  return 'uploaded';
}

function startUpload({ repository, blob, request, signal }: BlobPush): Promise<RegistryAnswer> {
  return request({
    method: 'POST',
    url: `/v2/${repository}/blobs/uploads/`,
    repository,
    actions: 'pull,push',
    headers: { 'content-length': '0' },
    expected: [202],
    attempt: `Cannot push blob ${blob.digest}`,
    signal,
  });
}

/** Asks for the blob from each other repository. A registry that does not mount starts an upload instead, which is used. */
async function mountBlob(options: BlobPush): Promise<'mounted' | RegistryAnswer | undefined> {
  const { repository, blob, mountFrom, request, signal } = options;
  let upload: RegistryAnswer | undefined;
  for (const from of mountFrom) {
    if (from === repository) continue;
    try {
      const answer = await request({
        method: 'POST',
        url: `/v2/${repository}/blobs/uploads/?mount=${blob.digest}&from=${encodeURIComponent(from)}`,
        repository,
        actions: 'pull,push',
        from,
        headers: { 'content-length': '0' },
        expected: [201, 202],
        attempt: `Cannot mount blob ${blob.digest} of ${from}`,
        signal,
      });
      await answer.body?.cancel();
      if (answer.status === 201) return 'mounted';
      upload = answer;
    } catch (error) {
      signal.throwIfAborted();
      // Mounting only saves time: whatever speaks against it, the content can still be sent.
      if (!isOciError(error) || error.code === 'SP_OCI_NETWORK') throw error;
    }
  }
  return upload;
}

async function findStore({ digest, size }: Descriptor, blobs: readonly BlobStore[]): Promise<BlobStore> {
  for (const store of blobs) {
    if ((await store.has(digest)) === size) return store;
  }
  throw new OciError('SP_OCI_BLOB_UNKNOWN', `No blob ${digest} of ${size} bytes in any blob store`, { digest });
}

/** When the registry refused the content: was it what it should be? Damaged content goes, so that it is made again. */
async function checkSource(
  error: unknown,
  { store, blob }: { readonly store: BlobStore; readonly blob: Descriptor },
): Promise<void> {
  const { digest } = blob;
  if (!isOciError(error) || error.registryCode !== 'DIGEST_INVALID') return;
  const actual = await digestOfStream(await store.read(digest), digest);
  if (actual === digest) return;
  await store.delete(digest);
  throw new OciError('SP_OCI_DIGEST_MISMATCH', `Blob ${digest} is damaged: its content is ${actual}`, { digest });
}
