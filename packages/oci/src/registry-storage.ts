import type { BlobStore } from './blob-store.ts';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import type { UploadStore } from './registry-uploads.ts';
import type { Referrer } from './wire.ts';

/** A manifest as it was pushed, with what it is. */
export interface StoredManifest {
  /** Address, length and media type. */
  readonly descriptor: Descriptor;
  /** Byte for byte. */
  readonly bytes: Uint8Array;
}

/** A manifest that is about another one, as a signature is about an image. */
export interface ReferrerDescriptor extends Descriptor {
  /** What kind of artifact it is, a media type. */
  readonly artifactType?: string | undefined;
}

/** A manifest to store. */
export interface ManifestToStore {
  /** The manifest, byte for byte. */
  readonly bytes: Uint8Array;
  /** What the client said that it is. */
  readonly mediaType: string;
  /** The tag that is to point at it. */
  readonly tag?: string | undefined;
  /** Its digest, verified by the caller, when that is not sha256. */
  readonly digest?: Digest | undefined;
  /** What it says about another manifest. */
  readonly referrer?: Referrer | undefined;
}

/**
 * What a registry keeps. Content is stored once for all repositories, but belongs to a repository only after it was
 * pushed there: knowing a digest gives nobody access.
 */
export interface RegistryStorage {
  /** All content of all repositories, manifests too: for use by the server itself, never for answers to clients. */
  readonly blobs: BlobStore;
  /** Uploads that are not finished. */
  readonly uploads: UploadStore;
  /** What a tag or a digest stands for in a repository. */
  resolve(repository: string, reference: string): Promise<Descriptor | undefined>;
  /** The manifest behind a tag or a digest. */
  readManifest(repository: string, reference: string): Promise<StoredManifest | undefined>;
  /** Stores a manifest, then moves the tag to it, in one step each. The blobs have to be there already. */
  writeManifest(repository: string, manifest: ManifestToStore): Promise<Descriptor>;
  /** Size of a blob of this repository; `undefined` also when only other repositories have it. */
  hasBlob(repository: string, digest: Digest): Promise<number | undefined>;
  /** Makes a stored blob part of a repository. */
  linkBlob(repository: string, digest: Digest): Promise<void>;
  /** Tags in code-unit order, or `undefined` when nothing was ever pushed to the repository. */
  listTags(repository: string): Promise<readonly string[] | undefined>;
  /** The manifests that are about this one, in the order of their digests. Without it a registry knows of none. */
  listReferrers?(repository: string, subject: Digest): Promise<readonly ReferrerDescriptor[]>;
  /** Takes a manifest, and the tags that point at it, out of a repository; whether it was there. Its content stays. */
  deleteManifest?(repository: string, digest: Digest): Promise<boolean>;
  /** Forgets a tag; whether it was there. */
  deleteTag?(repository: string, tag: string): Promise<boolean>;
  /** Takes a blob out of a repository; whether it was there. Its content stays. */
  unlinkBlob?(repository: string, digest: Digest): Promise<boolean>;
}

/** A registry's storage in a directory: it can do everything, and its garbage can be collected. */
export interface DiskRegistryStorage extends Required<RegistryStorage> {
  /** Absolute path of the folder that everything is in. */
  readonly directory: string;
}
