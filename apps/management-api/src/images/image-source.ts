import type { BlobStore, Descriptor, Digest } from '@sp/oci';

/** Where the images of the registry can be read without HTTP; the registry's storage is one. */
export interface ImageSource {
  /** The manifest as it was pushed; `undefined` when the repository has none of that digest. */
  readManifest(
    repository: string,
    digest: Digest,
  ): Promise<{ readonly bytes: Uint8Array; readonly descriptor: Descriptor } | undefined>;
  /** The size of a blob that the repository has; `undefined` when it has none of that digest. */
  hasBlob(repository: string, digest: Digest): Promise<number | undefined>;
  /** The blobs of all repositories: ask {@link ImageSource.hasBlob} before reading one for somebody. */
  readonly blobs: BlobStore;
}
