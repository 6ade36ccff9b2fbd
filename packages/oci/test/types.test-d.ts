import { expectTypeOf, test } from 'vitest';
import {
  type BaseImage,
  type BlobStore,
  createBlobStore,
  createDiskRegistryStorage,
  createRegistryHandler,
  type Descriptor,
  type Digest,
  digestOf,
  isDigest,
  isOciError,
  type LoadedImage,
  loadBaseImage,
  type OciErrorCode,
  type OciImage,
  type RegistryStorage,
  readImage,
  saveOciLayout,
} from '../src/index.ts';

// Checked by `tsc --noEmit`; nothing of it runs.
test('types', () => {
  expectTypeOf<Digest>().toEqualTypeOf<`sha256:${string}` | `sha512:${string}`>();
  expectTypeOf(digestOf).returns.toEqualTypeOf<Digest>();
  const text: string = '';
  if (isDigest(text)) expectTypeOf(text).toEqualTypeOf<Digest>();

  expectTypeOf(createBlobStore).returns.toEqualTypeOf<BlobStore>();
  expectTypeOf(readImage).parameter(1).toEqualTypeOf<Descriptor>();
  expectTypeOf(readImage).returns.resolves.toEqualTypeOf<LoadedImage>();
  expectTypeOf(loadBaseImage).returns.resolves.toEqualTypeOf<BaseImage | undefined>();
  expectTypeOf<LoadedImage>().toExtend<OciImage>();
  expectTypeOf(saveOciLayout).parameter(1).toEqualTypeOf<OciImage>();

  // The handler is a web-standard one, over any storage.
  expectTypeOf(createRegistryHandler).returns.toEqualTypeOf<(request: Request) => Promise<Response>>();
  expectTypeOf(createDiskRegistryStorage).returns.toExtend<RegistryStorage>();

  const error: unknown = undefined;
  if (isOciError(error)) expectTypeOf(error.code).toEqualTypeOf<OciErrorCode>();
  expectTypeOf<OciErrorCode>().toExtend<`SP_OCI_${string}`>();
});
