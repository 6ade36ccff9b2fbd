import type { BlobStore } from './blob-store.ts';
import { decompressed } from './decompress.ts';
import { type Descriptor, descriptorToWire } from './descriptor.ts';
import { algorithmOf, createDigester, type Digest, digestOf } from './digest.ts';
import { OciError } from './error.ts';
import { readAll } from './file-read.ts';
import { gzipStream } from './gzip-pieces.ts';
import { type LoadedImage, maximumDocumentSize } from './image.ts';
import { decodeImageConfig } from './image-config-wire.ts';
import { mediaTypes } from './media-types.ts';
import { openTarArchive, type TarArchive } from './tar-archive.ts';
import { isObject, malformed, type Platform } from './wire.ts';

/**
 * Takes the image out of what `docker save` wrote, into a blob store: layers compressed, contents verified against the
 * image's config.
 *
 * @throws {@link OciError} `SP_OCI_NOT_FOUND`, `SP_OCI_DOCUMENT`, `SP_OCI_PLATFORM`, `SP_OCI_DIGEST_MISMATCH`
 */
export async function importDockerArchive(
  path: string,
  options: { readonly blobs: BlobStore; readonly platform: Platform; readonly signal?: AbortSignal | undefined },
): Promise<LoadedImage> {
  const { blobs, platform, signal } = options;
  const archive = await openTarArchive(path, signal);
  const fitting = [];
  for (const listed of await readManifestList(archive, path)) {
    const configBytes = await readMember(archive, listed.config, path);
    const decoded = decodeImageConfig(configBytes);
    const { os, architecture } = decoded.imageConfig;
    if (os === platform.os && architecture === platform.architecture)
      fitting.push({ ...listed, ...decoded, configBytes });
  }
  const [image, second] = fitting;
  const wanted = `${platform.os}/${platform.architecture}`;
  if (image === undefined) throw new OciError('SP_OCI_PLATFORM', `No image for ${wanted} in ${path}`, { path });
  if (second !== undefined && digestOf(second.configBytes) !== digestOf(image.configBytes)) {
    throw new OciError('SP_OCI_PLATFORM', `Several images for ${wanted} in ${path}`, { path });
  }
  const { imageConfig, diffIds, configBytes } = image;
  if (diffIds.length !== image.layers.length) {
    throw malformed(path, `it has ${image.layers.length} layers for ${diffIds.length} diff ids`);
  }
  const layers: Descriptor[] = [];
  for (const [index, name] of image.layers.entries()) {
    layers.push(await importLayer(archive, { name, diffId: diffIds[index] as Digest, path, blobs, signal }));
  }
  const config = { mediaType: mediaTypes.config, ...(await blobs.write(configBytes, { signal })) };
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptorToWire(config),
    layers: layers.map(descriptorToWire),
  };
  const manifestBytes = Buffer.from(JSON.stringify(document));
  const manifest = { mediaType: mediaTypes.manifest, ...(await blobs.write(manifestBytes, { signal })) };
  return { manifest, manifestBytes, config, layers, diffIds, imageConfig };
}

interface Listed {
  readonly config: string;
  readonly layers: readonly string[];
}

async function readManifestList(archive: TarArchive, path: string): Promise<readonly Listed[]> {
  let list: unknown;
  try {
    list = JSON.parse(Buffer.from(await readMember(archive, 'manifest.json', path)).toString());
  } catch (error) {
    if (error instanceof OciError) throw error;
    throw malformed(path, 'its manifest.json is not JSON');
  }
  if (!Array.isArray(list)) throw malformed(path, 'its manifest.json is not a list');
  return list.map((item: unknown) => {
    const { Config: config, Layers: layers } = isObject(item) ? item : {};
    const isList = Array.isArray(layers) && layers.every((layer) => typeof layer === 'string');
    if (typeof config !== 'string' || !isList) throw malformed(path, 'its manifest.json is damaged');
    return { config, layers };
  });
}

async function readMember(archive: TarArchive, name: string, path: string): Promise<Uint8Array> {
  const member = archive.find(name);
  if (member === undefined) throw malformed(path, `there is no ${JSON.stringify(name)} in it`);
  const bytes = await readAll(await member.read(), maximumDocumentSize);
  if (bytes === undefined) throw malformed(path, `${JSON.stringify(name)} is too large`);
  return bytes;
}

async function importLayer(
  archive: TarArchive,
  options: {
    readonly name: string;
    readonly diffId: Digest;
    readonly path: string;
    readonly blobs: BlobStore;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Descriptor> {
  const { name, diffId, path, blobs, signal } = options;
  const member = archive.find(name);
  if (member === undefined) throw malformed(path, `there is no layer ${JSON.stringify(name)} in it`);
  const digester = createDigester(algorithmOf(diffId));
  const content = gunzipIfGzip(await member.read(), path);
  const blob = await blobs.write(gzipStream(content, { onPiece: (piece) => digester.update(piece) }), { signal });
  const actual = digester.digest();
  if (actual === diffId) return { mediaType: mediaTypes.layerGzip, ...blob };
  await blobs.delete(blob.digest);
  throw new OciError('SP_OCI_DIGEST_MISMATCH', `Layer ${JSON.stringify(name)} of ${path} is ${actual}, not ${diffId}`, {
    path,
    digest: diffId,
  });
}

/** New engines keep layers as they got them. */
async function* gunzipIfGzip(source: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return;
  const all = async function* (): AsyncGenerator<Uint8Array> {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => iterator };
  };
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
    yield* all();
    return;
  }
  yield* decompressed(all(), { format: 'gzip', what });
}
