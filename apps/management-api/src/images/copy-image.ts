import { type Digest, type RegistryClient } from '@sp/oci';
import { readImageManifest } from './image-manifest.ts';
import type { ImageSource } from './image-source.ts';
import { storageRepository } from './tenant-repository.ts';

/**
 * Copies a tenant's image for one platform out of the built-in registry into a repository of another one, which is asked
 * first what it has. Returns the digest to run, which differs from the wanted one when that is an index of several
 * images; or why there is no such image, in words for its owner.
 * @throws {OciError} when the other registry fails
 */
export async function copyImage(request: {
  readonly source: ImageSource;
  readonly tenantId: string;
  readonly digest: Digest;
  readonly architecture: string;
  readonly target: RegistryClient;
  readonly repository: string;
  readonly tag: string;
  readonly signal?: AbortSignal | undefined;
}): Promise<{ readonly digest: Digest } | { readonly unusable: string }> {
  const { source, tenantId, digest, architecture, target, repository, tag, signal } = request;
  const image = await readImageManifest(source, { repository: storageRepository(tenantId), digest, architecture });
  if ('unusable' in image) return image;
  const { descriptor: manifest, bytes: manifestBytes, config, layers } = image;
  const pushed = await target.pushImage(
    { manifest, manifestBytes, config, layers, diffIds: [] },
    { repository, reference: tag, blobs: [source.blobs], signal },
  );
  return { digest: pushed.digest };
}
