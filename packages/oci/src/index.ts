// OCI images without a daemon: deterministic layers, manifests, a registry client and a registry server handler.
export { type BaseImage, type LoadBaseImageOptions, loadBaseImage, type RegistryAccount } from './base-image.ts';
export { type BlobStore, type BlobWriteOptions, type ByteRange, createBlobStore } from './blob-store.ts';
export type { Descriptor } from './descriptor.ts';
export { type Digest, type DigestAlgorithm, digestOf, isDigest } from './digest.ts';
export { isOciError, OciError, type OciErrorCode, type OciErrorFacts } from './error.ts';
export { type FileStats, fileIdentity, isSameFile } from './file-identity.ts';
export { type FindInImageOptions, findInImage } from './find-in-image.ts';
export { type BuildImageOptions, buildImage, type LoadedImage, type OciImage, readImage } from './image.ts';
export type { ImageConfig, ImageHealthcheck } from './image-config.ts';
export { type BuildLayerOptions, type BuiltLayer, buildLayer, type ReadLayerOptions, readLayer } from './layer.ts';
export {
  createLayerCache,
  type LayerCache,
  type LayerCacheGetOptions,
  type LayerCacheOptions,
} from './layer-cache.ts';
export type { LayerEntry, LayerEntryOwner } from './layer-entry.ts';
export { type LoadOciLayoutOptions, loadOciLayout, type SaveOciLayoutOptions, saveOciLayout } from './layout.ts';
export type { PushBlobOptions, PushEvent, PushImageOptions, PushResult } from './push-image.ts';
export { formatImageReference, type ImageReference, parseImageReference } from './reference.ts';
export {
  createRegistryClient,
  type GetBlobOptions,
  type RegistryCallOptions,
  type RegistryClient,
  type RegistryClientOptions,
} from './registry-client.ts';
export { createDiskRegistryStorage } from './registry-disk.ts';
export { type CollectedGarbage, type CollectGarbageOptions, collectGarbage } from './registry-garbage.ts';
export {
  createRegistryHandler,
  type ManifestStoredEvent,
  type RegistryAccess,
  type RegistryDecision,
  type RegistryHandlerOptions,
} from './registry-handler.ts';
export type {
  DiskRegistryStorage,
  ManifestToStore,
  ReferrerDescriptor,
  RegistryStorage,
  StoredManifest,
} from './registry-storage.ts';
export type { UploadStore } from './registry-uploads.ts';
export type { Platform, Referrer } from './wire.ts';
