import { type Descriptor, type Digest, isDigest } from '@sp/oci';
import * as z from 'zod/mini';
import type { ImageSource } from './image-source.ts';

/** The manifest of an image for one platform. */
export interface ImageManifest {
  readonly descriptor: Descriptor;
  /** Byte for byte, as it was pushed. */
  readonly bytes: Uint8Array;
  readonly config: Descriptor;
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
}

const digestSchema = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const descriptorSchema = z.object({ mediaType: z.string(), digest: digestSchema, size: z.number() });
const manifestSchema = z.object({ config: descriptorSchema, layers: z.array(descriptorSchema) });
const indexSchema = z.object({
  manifests: z.array(
    z.object({
      digest: digestSchema,
      platform: z.optional(z.object({ os: z.string(), architecture: z.string() })),
    }),
  ),
});

/**
 * Reads the manifest of an image whose content is all in the same repository, also of one of several in an index (what `docker buildx` pushes). The reason is
 * returned, in words for the image's owner, when there is none that can be run.
 */
export async function readImageManifest(
  source: ImageSource,
  request: { readonly repository: string; readonly digest: Digest; readonly architecture: string },
): Promise<ImageManifest | { readonly unusable: string }> {
  const { repository, digest, architecture } = request;
  const stored = await source.readManifest(repository, digest);
  if (stored === undefined) return { unusable: `there is no image ${digest} in the registry` };
  const document = parseJson(stored.bytes);
  const index = indexSchema.safeParse(document);
  if (index.success) {
    const inner = choosePlatform(index.data.manifests, architecture);
    if (inner === undefined) return { unusable: `the image ${digest} is not for linux` };
    return readImageManifest(source, { repository, digest: inner, architecture });
  }
  const manifest = manifestSchema.safeParse(document);
  if (!manifest.success) return { unusable: `the manifest ${digest} is not an image manifest` };
  const { config, layers } = manifest.data;
  for (const { digest: blob } of [config, ...layers]) {
    // Blobs are shared by all: what a manifest names may be somebody else's.
    if ((await source.hasBlob(repository, blob)) === undefined) {
      return { unusable: `the image ${digest} names ${blob}, which is not in its repository` };
    }
  }
  return { ...stored, config, layers };
}

/** A JSON document, or `null` when it is none. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}

function choosePlatform(manifests: z.infer<typeof indexSchema>['manifests'], architecture: string): Digest | undefined {
  // Attestations stand beside the images under the platform `unknown/unknown`.
  const images = manifests.filter(({ platform }) => platform === undefined || platform.os === 'linux');
  return (images.find(({ platform }) => platform?.architecture === architecture) ?? images[0])?.digest;
}
