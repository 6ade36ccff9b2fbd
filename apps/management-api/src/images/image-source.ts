import type { BlobStore, Descriptor, Digest } from '@sp/oci';

/** Where the images of the registry can be read without HTTP; the registry's storage is one. */
export interface ImageSource {
  /** The manifest as it was pushed; `undefined` when the repository has none of that digest. */
  readManifest(
    repository: string,
    digest: Digest,
  ): Promise<{ readonly bytes: Uint8Array; readonly descriptor: Descriptor } | undefined>;
  readonly blobs: BlobStore;
}
