import type { Descriptor } from './descriptor.ts';
import { type Digest, isDigest } from './digest.ts';
import { OciError } from './error.ts';
import { isIndexMediaType, mediaTypes } from './media-types.ts';

/** Operating system and processor of an image. */
export interface Platform {
  /** Usually `linux`. */
  readonly os: string;
  /** In Go's words: `amd64`, `arm64`. */
  readonly architecture: string;
}

/** A descriptor as manifests and indexes contain it. */
export interface DocumentDescriptor extends Descriptor {
  /** Given by an index for its manifests. */
  readonly platform?: Platform | undefined;
  /** Whether the content lives elsewhere and is never in the registry. */
  readonly foreign: boolean;
}

/** What stands behind a tag, as far as this package uses it. */
export type ManifestDocument =
  | {
      readonly kind: 'manifest';
      readonly mediaType: string;
      readonly config: DocumentDescriptor;
      readonly layers: readonly DocumentDescriptor[];
      readonly referrer?: Referrer | undefined;
    }
  | {
      readonly kind: 'index';
      readonly mediaType: string;
      readonly manifests: readonly DocumentDescriptor[];
      readonly referrer?: Referrer | undefined;
    };

/** What a manifest says when it is about another one, as a signature is about an image. */
export interface Referrer {
  /** The manifest that it is about. */
  readonly subject: Digest;
  /** What kind of artifact it is, a media type. */
  readonly artifactType?: string | undefined;
  /** The annotations of its manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a manifest or an index, OCI or Docker. `mediaType` is what the container of the bytes said about them.
 *
 * @throws {@link OciError} `SP_OCI_DOCUMENT`
 */
export function parseManifest(bytes: Uint8Array, mediaType?: string): ManifestDocument {
  const json = parseJsonObject(bytes, 'manifest');
  if (json['schemaVersion'] !== 2) throw malformed('manifest', '`schemaVersion` is not 2');
  const own = json['mediaType'];
  if (own !== undefined && mediaType !== undefined && own !== mediaType) {
    throw malformed('manifest', `its \`mediaType\` is not ${mediaType}`);
  }
  const fallback = Array.isArray(json['manifests']) ? mediaTypes.index : mediaTypes.manifest;
  const actual = mediaType ?? (typeof own === 'string' ? own : fallback);
  if (isIndexMediaType(actual)) {
    const manifests = parseDescriptors(json['manifests'], 'manifests');
    return { kind: 'index', mediaType: actual, manifests, ...parseReferrer(json) };
  }
  const config = parseDescriptor(json['config'], 'config');
  const layers = parseDescriptors(json['layers'], 'layers');
  return { kind: 'manifest', mediaType: actual, config, layers, ...parseReferrer(json, config.mediaType) };
}

/** `fallback` is what an artifact without a type of its own is: what its config is. */
function parseReferrer(json: JsonObject, fallback?: string): { referrer?: Referrer } {
  const { subject, artifactType, annotations } = json;
  if (subject === undefined || subject === null) return {};
  const type = typeof artifactType === 'string' && artifactType !== '' ? artifactType : fallback;
  return {
    referrer: {
      subject: parseDescriptor(subject, 'subject').digest,
      ...(type === undefined ? {} : { artifactType: type }),
      ...(isStringRecord(annotations) ? { annotations } : {}),
    },
  };
}

/** Parses a JSON object out of bytes. `what` names the document in errors. */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw malformed(what, 'it is not JSON');
  }
  if (!isObject(json)) throw malformed(what, 'it is not a JSON object');
  return json;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The error for a document that cannot be used. */
export function malformed(what: string, why: string): OciError {
  return new OciError('SP_OCI_DOCUMENT', `Cannot use the ${what}: ${why}`);
}

/** A value of a document that must be a digest. */
export function parseDigest(value: unknown, what: string): Digest {
  if (typeof value !== 'string' || !isDigest(value)) throw malformed(what, 'a digest is missing or malformed');
  return value;
}

function parseDescriptors(value: unknown, what: string): readonly DocumentDescriptor[] {
  if (!Array.isArray(value)) throw malformed('manifest', `\`${what}\` is not a list`);
  return value.map((item) => parseDescriptor(item, what));
}

function parseDescriptor(value: unknown, what: string): DocumentDescriptor {
  if (!isObject(value)) throw malformed('manifest', `\`${what}\` has no descriptor`);
  const { mediaType, size, annotations, platform, urls } = value;
  if (typeof mediaType !== 'string') throw malformed('manifest', `\`${what}\` has no media type`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw malformed('manifest', `\`${what}\` has no size`);
  }
  return {
    mediaType,
    digest: parseDigest(value['digest'], 'manifest'),
    size,
    ...(isStringRecord(annotations) ? { annotations } : {}),
    ...(isPlatform(platform) ? { platform: { os: platform.os, architecture: platform.architecture } } : {}),
    foreign: (Array.isArray(urls) && urls.length > 0) || /nondistributable|foreign/.test(mediaType),
  };
}

function isStringRecord(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((item) => typeof item === 'string');
}

function isPlatform(value: unknown): value is Platform {
  return isObject(value) && typeof value['os'] === 'string' && typeof value['architecture'] === 'string';
}

/** BuildKit puts provenance beside the images, disguised as an image for an unknown platform. */
export function isAttestation({ annotations, platform }: DocumentDescriptor): boolean {
  return annotations?.['vnd.docker.reference.type'] !== undefined || platform?.os === 'unknown';
}
