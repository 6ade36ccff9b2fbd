import type { BlobStore } from './blob-store.ts';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { isOciError, OciError } from './error.ts';
import { type LoadedImage, readImage } from './image.ts';
import type { RegistryClient } from './registry-client.ts';
import { together } from './together.ts';
import { type DocumentDescriptor, isAttestation, malformed, type Platform, parseManifest } from './wire.ts';

type Client = Pick<RegistryClient, 'getManifest' | 'getBlob'>;

/** A manifest out of a registry, with its bytes. */
export interface FetchedManifest {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/** How many connections in a row may break without a byte. */
const attempts = 3;

/** How many connections one blob may take in all. */
const mostConnections = 50;

/** The manifest of one image: the one behind the digest or, when that is an index, the one in it for the platform. */
export async function resolveForPlatform(
  client: Client,
  options: {
    readonly repository: string;
    readonly digest: Digest;
    readonly platform: Platform;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<FetchedManifest> {
  const { repository, platform, signal } = options;
  let fetched = await client.getManifest(repository, options.digest, { signal });
  for (let depth = 0; depth < 4; depth += 1) {
    const document = parseManifest(fetched.bytes, fetched.descriptor.mediaType);
    if (document.kind === 'manifest') return fetched;
    const chosen = choose(document.manifests, platform);
    if (chosen === undefined) {
      const wanted = `${platform.os}/${platform.architecture}`;
      throw new OciError('SP_OCI_PLATFORM', `No image for ${wanted} in ${repository}@${options.digest}`, {
        repository,
      });
    }
    fetched = await client.getManifest(repository, chosen.digest, { signal });
  }
  throw malformed('index', 'indexes are nested too deeply');
}

/** Brings an image into a blob store, verified; what is there already is not fetched. */
export async function pullImage(
  client: Client,
  options: {
    readonly repository: string;
    readonly manifest: FetchedManifest;
    readonly platform: Platform;
    readonly blobs: BlobStore;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<LoadedImage> {
  const { repository, manifest, platform, blobs, signal } = options;
  const document = parseManifest(manifest.bytes, manifest.descriptor.mediaType);
  if (document.kind === 'index') throw malformed('manifest', 'it is an index of several images');
  const fetch = async ({ digest, size }: Descriptor, abort?: AbortSignal): Promise<void> => {
    if ((await blobs.has(digest)) === size) return;
    await fetchBlob(client, { repository, digest, size, blobs, signal: abort });
  };
  await blobs.write(manifest.bytes, { expected: manifest.descriptor.digest, signal });
  // The config first: it may say that the layers are of no use.
  await fetch(document.config, signal);
  const image = await readImage(blobs, manifest.descriptor);
  const { os, architecture } = image.imageConfig;
  if (os !== platform.os || architecture !== platform.architecture) {
    const wanted = `${platform.os}/${platform.architecture}`;
    const message = `Image ${repository}@${manifest.descriptor.digest} is for ${os}/${architecture}, not ${wanted}`;
    throw new OciError('SP_OCI_PLATFORM', message, { repository, digest: manifest.descriptor.digest });
  }
  const queue = Array.from(image.layers).sort((a, b) => b.size - a.size);
  await together(3, signal, async (abort) => {
    for (let layer = queue.shift(); layer !== undefined; layer = queue.shift()) await fetch(layer, abort);
  });
  return image;
}

async function fetchBlob(client: Client, blob: BlobToFetch & { readonly blobs: BlobStore }): Promise<void> {
  const { digest, blobs, signal } = blob;
  await blobs.write(downloaded(client, blob), { expected: digest, signal });
}

interface BlobToFetch {
  readonly repository: string;
  readonly digest: Digest;
  readonly size: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The content of a blob; where the connection breaks, it goes on with the next one. It ends as soon as it is longer than
 * the manifest says: it must not fill the disk. The client repeats what fails at once, this is about what breaks on the way.
 */
async function* downloaded(client: Client, blob: BlobToFetch): AsyncGenerator<Uint8Array> {
  const { repository, digest, size, signal } = blob;
  let received = 0;
  let failures = 0;
  for (let attempt = 1; ; attempt += 1) {
    const before = received;
    try {
      for await (const piece of await client.getBlob(repository, digest, { signal, start: received })) {
        received += piece.byteLength;
        if (received > size)
          throw new OciError('SP_OCI_DIGEST_MISMATCH', `Blob ${digest} has more than ${size} bytes`, { digest });
        yield piece;
      }
      if (received === size) return;
      throw new OciError('SP_OCI_DIGEST_MISMATCH', `Blob ${digest} has ${received} bytes, not ${size}`, { digest });
    } catch (error) {
      // As long as it comes on it is not given up, but a registry that drips does not keep us for ever.
      failures = received > before ? 0 : failures + 1;
      if (failures === attempts || attempt === mostConnections || !isOciError(error) || !error.retryable) throw error;
    }
  }
}

/** The image of an index for a platform; of several variants the first. */
function choose(
  manifests: readonly DocumentDescriptor[],
  { os, architecture }: Platform,
): DocumentDescriptor | undefined {
  const images = manifests.filter((one) => !isAttestation(one));
  const fitting = images.filter(({ platform }) => platform?.os === os && platform.architecture === architecture);
  // An index may leave platforms out; a single image is then the only one it can mean, and its config is checked.
  return fitting[0] ?? (images.length === 1 && images[0]?.platform === undefined ? images[0] : undefined);
}
