import { algorithmOf, type Digest, digestOf } from './digest.ts';
import { isOciError } from './error.ts';
import { readAll } from './file-read.ts';
import { manifestMediaTypes } from './media-types.ts';
import { answer, errorAnswer } from './registry-answer.ts';
import type { RegistryStorage } from './registry-storage.ts';
import { type DocumentDescriptor, type ManifestDocument, parseManifest } from './wire.ts';

interface ManifestTarget {
  readonly request: Request;
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

/** GET and HEAD of a manifest by tag or digest. */
export async function serveManifest(storage: RegistryStorage, target: ManifestTarget): Promise<Response> {
  const { request, repository } = target;
  const reference = target.digest ?? target.tag ?? '';
  const descriptor = await storage.resolve(repository, reference);
  if (descriptor === undefined) return unknownManifest(reference);
  const headers = {
    'content-type': descriptor.mediaType,
    'content-length': String(descriptor.size),
    'docker-content-digest': descriptor.digest,
    etag: `"${descriptor.digest}"`,
  };
  if (request.headers.get('if-none-match') === headers.etag) return answer(304, { etag: headers.etag });
  if (request.method === 'HEAD') return answer(200, headers);
  // By digest: the tag may have moved since.
  const manifest = await storage.readManifest(repository, descriptor.digest);
  return manifest === undefined ? unknownManifest(reference) : answer(200, headers, Buffer.from(manifest.bytes));
}

/** PUT of a manifest: stored byte for byte, once everything it names is there; the tag moves last. */
export async function receiveManifest(
  storage: RegistryStorage,
  target: {
    readonly request: Request;
    readonly repository: string;
    /** What points at it afterwards. */
    readonly tags: readonly string[];
    /** What it was pushed as. */
    readonly digest: Digest | undefined;
    readonly maximumBytes: number;
    readonly foreignLayers: 'accept' | 'refuse';
    readonly onStored: (digest: Digest) => void;
  },
): Promise<Response> {
  const { request, repository, tags, digest, maximumBytes, foreignLayers, onStored } = target;
  const bytes = await readBody(request, maximumBytes);
  if (bytes === 'cut') return invalidManifest('the content ended early');
  if (bytes === undefined) {
    return errorAnswer(413, { code: 'SIZE_INVALID', message: `a manifest has at most ${maximumBytes} bytes` });
  }
  const actual = digestOf(bytes, digest === undefined ? 'sha256' : algorithmOf(digest));
  if (digest !== undefined && digest !== actual) {
    return errorAnswer(400, { code: 'DIGEST_INVALID', message: 'the content has another digest' });
  }
  let document: ManifestDocument;
  try {
    document = parseManifest(bytes, request.headers.get('content-type')?.split(';', 1)[0]?.trim());
  } catch (error) {
    if (isOciError(error)) return invalidManifest(error.message);
    throw error;
  }
  if (!manifestMediaTypes.includes(document.mediaType)) return invalidManifest('its media type is not supported');
  const refusal = await checkContent(storage, { repository, document, foreignLayers });
  if (refusal !== undefined) return refusal;
  const { mediaType, referrer } = document;
  for (const tag of tags.length === 0 ? [undefined] : tags) {
    await storage.writeManifest(repository, { bytes, mediaType, tag, digest: actual, referrer });
  }
  onStored(actual);
  const location = `/v2/${repository}/manifests/${actual}`;
  // Tells the client that it need not keep a list of referrers itself.
  const subject: Record<string, string> = referrer === undefined ? {} : { 'oci-subject': referrer.subject };
  // What the digest was pushed as is known already: the header is for the tags beside it.
  const tagged: Record<string, string> =
    digest === undefined || tags.length === 0 ? {} : { 'oci-tag': tags.join(', ') };
  const headers = { location, 'docker-content-digest': actual, 'content-length': '0', ...subject, ...tagged };
  return answer(201, headers);
}

/** Everything that a manifest names has to be in the same repository, with the length it says. */
async function checkContent(
  storage: RegistryStorage,
  request: {
    readonly repository: string;
    readonly document: ManifestDocument;
    readonly foreignLayers: 'accept' | 'refuse';
  },
): Promise<Response | undefined> {
  const { repository, document, foreignLayers } = request;
  const isIndex = document.kind === 'index';
  const isNeeded = ({ foreign }: DocumentDescriptor): boolean => foreignLayers === 'refuse' || !foreign;
  const needed = isIndex ? document.manifests : [document.config, ...document.layers.filter(isNeeded)];
  const sizeOf = async ({ digest }: DocumentDescriptor): Promise<number | undefined> =>
    isIndex ? (await storage.resolve(repository, digest))?.size : storage.hasBlob(repository, digest);
  for (const descriptor of needed) {
    const size = await sizeOf(descriptor);
    const detail = { digest: descriptor.digest };
    if (size === undefined) {
      return errorAnswer(400, { code: 'MANIFEST_BLOB_UNKNOWN', message: 'content of the manifest is missing', detail });
    }
    if (size !== descriptor.size) {
      return errorAnswer(400, { code: 'SIZE_INVALID', message: `the content has ${size} bytes`, detail });
    }
  }
  return undefined;
}

async function readBody(request: Request, limit: number): Promise<Uint8Array | 'cut' | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > limit) return undefined;
  try {
    return request.body === null ? new Uint8Array(0) : await readAll(request.body, limit);
  } catch {
    return 'cut';
  }
}

function invalidManifest(message: string): Response {
  return errorAnswer(400, { code: 'MANIFEST_INVALID', message });
}

function unknownManifest(reference: string): Response {
  const detail = { reference };
  return errorAnswer(404, { code: 'MANIFEST_UNKNOWN', message: 'no such manifest in this repository', detail });
}
