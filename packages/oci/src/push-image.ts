import type { BlobStore } from './blob-store.ts';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { isOciError, OciError } from './error.ts';
import type { OciImage } from './image.ts';
import { pushBlob } from './push-blob.ts';
import type { RegistryRequester } from './registry-request.ts';
import { withRetry } from './retry.ts';
import type { SentBlobs } from './sent-blobs.ts';
import { together } from './together.ts';
import { parseManifest } from './wire.ts';

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

/** Options of sending a blob. */
export interface PushBlobOptions {
  /** The repository that it goes to. */
  readonly repository: string;
  /** Where the blobs are; searched in order. */
  readonly blobs: readonly BlobStore[];
  /** Other repositories of the registry that may have layers already, and that the user may read: those are not sent. */
  readonly mountFrom?: readonly string[] | undefined;
  /** Called for every blob, and for every piece of it that is sent. */
  readonly onProgress?: ((event: PushEvent) => void) | undefined;
  /** Stops the push. Blobs that are complete stay in the registry; the tag does not move. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a push. */
export interface PushImageOptions extends PushBlobOptions {
  /** Tag or digest that the image gets. */
  readonly reference: string;
  /** Uploads at the same time. @defaultValue 3 */
  readonly concurrency?: number | undefined;
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
  /** The manifest that a reference stands for now; `undefined` when that is `known`. */
  readonly getManifestUnless: (
    known: Digest,
    options: Pick<PushImageOptions, 'repository' | 'reference' | 'signal'>,
  ) => Promise<{ readonly bytes: Uint8Array; readonly descriptor: Descriptor } | undefined>;
  /** What this client has sent a short while ago. */
  readonly sent: SentBlobs;
  readonly registry: string;
  readonly retries: number;
  readonly delayMilliseconds: number;
}

export async function pushImage(image: OciImage, options: PushImageOptions, context: PushContext): Promise<PushResult> {
  const { repository, onProgress = () => {}, signal } = options;
  const { retries, delayMilliseconds } = context;
  const { digest } = image.manifest;
  const blobs = Array.from(new Map([...image.layers, image.config].map((blob) => [blob.digest, blob])).values());
  const result = { digest, uploadedBytes: 0, uploadedBlobs: 0, skippedBlobs: 0 };
  const current = await findCurrent(image, options, context);
  const isCurrent = current?.digest === digest;
  const isKnown = (blob: Descriptor): boolean =>
    isCurrent || current?.blobs.has(blob.digest) === true || context.sent.has(repository, blob.digest);
  const known = blobs.filter(isKnown);
  for (const { digest, size } of known) onProgress({ type: 'blob-exists', digest, size, sent: 0 });
  result.skippedBlobs += known.length;
  if (isCurrent) return result;
  const count = (outcome: 'uploaded' | 'skipped', { size }: Descriptor): void => {
    if (outcome === 'skipped') result.skippedBlobs += 1;
    else {
      result.uploadedBlobs += 1;
      result.uploadedBytes += size;
    }
  };
  const send = (some: readonly Descriptor[], isNew?: Descriptor): Promise<void> =>
    pushBlobs(some, { ...options, count, isNew }, context);
  // Another image's config is another one, so it is hardly ever there.
  const isNew = current === undefined ? undefined : image.config;
  await send(
    blobs.filter((blob) => !known.includes(blob)),
    isNew,
  );
  const put = (): Promise<void> =>
    withRetry(() => putManifest(image, options, context), { retries, delayMilliseconds, signal });
  try {
    await put();
  } catch (error) {
    if (known.length === 0 || !isOciError(error) || !/^(?:MANIFEST_)?BLOB_UNKNOWN$/.test(error.registryCode ?? ''))
      throw error;
    // The registry cleaned up what was sent long before its manifest: now every blob is asked for.
    result.skippedBlobs -= known.length;
    await send(known);
    await put();
  }
  return result;
}

/** The image that the reference stands for. */
interface CurrentImage {
  readonly digest: Digest;
  /** A registry takes a manifest only when it has the blobs: these are there. */
  readonly blobs: ReadonlySet<Digest>;
}

/** What the reference stands for, as far as it is told: it only saves time, and some who may push may not read. */
async function findCurrent(
  image: OciImage,
  options: PushImageOptions,
  context: PushContext,
): Promise<CurrentImage | undefined> {
  const { repository, reference, signal } = options;
  const { digest } = image.manifest;
  try {
    const manifest = await context.getManifestUnless(digest, { repository, reference, signal });
    if (manifest === undefined) return { digest, blobs: new Set() };
    const document = parseManifest(manifest.bytes, manifest.descriptor.mediaType);
    const blobs = document.kind === 'index' ? [] : [document.config, ...document.layers];
    return { digest: manifest.descriptor.digest, blobs: new Set(blobs.map((blob) => blob.digest)) };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isOciError(error) || error.code === 'SP_OCI_NETWORK') throw error;
    return undefined;
  }
}

/** Several blobs, some at the same time. */
export async function pushBlobs(
  blobs: readonly Descriptor[],
  options: Omit<PushImageOptions, 'reference'> & {
    readonly count: (outcome: 'uploaded' | 'skipped', blob: Descriptor) => void;
    /** Most likely not there, so not asked for before it is sent. */
    readonly isNew?: Descriptor | undefined;
  },
  { request, sent, registry, retries, delayMilliseconds }: PushContext,
): Promise<void> {
  const { repository, mountFrom = [], concurrency = 3, onProgress = () => {}, count, isNew, signal } = options;
  // Largest first: the longest upload decides when the push is done.
  const queue = blobs.toSorted((a, b) => b.size - a.size);
  await together(concurrency, signal, async (abort) => {
    for (let blob = queue.shift(); blob !== undefined; blob = queue.shift()) {
      const retry = { retries, delayMilliseconds, signal: abort };
      const one = { repository, blob, blobs: options.blobs, mountFrom, onProgress, request, registry };
      let isAsked = blob !== isNew;
      const attempt = (): ReturnType<typeof pushBlob> => {
        const push = { ...one, isAsked, retry, signal: abort };
        isAsked = true;
        return pushBlob(push);
      };
      count(await withRetry(attempt, retry), blob);
      sent.add(repository, blob.digest);
    }
  });
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
