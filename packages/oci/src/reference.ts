import { type Digest, isDigest } from './digest.ts';
import { OciError } from './error.ts';

/** Where an image is: `registry/repository[:tag][@digest]`. */
export interface ImageReference {
  /** `host[:port]`. */
  readonly registry: string;
  /** Path inside the registry, for example `tenants/app`. */
  readonly repository: string;
  /** A movable name. */
  readonly tag?: string | undefined;
  /** A fixed address; wins over the tag. */
  readonly digest?: Digest | undefined;
}

const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const registryPattern = /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::[0-9]{1,5})?$/;

/** Whether `text` may name a repository. */
export function isRepositoryName(text: string): boolean {
  return text.length <= 255 && repositoryPattern.test(text);
}

/** Whether `text` may be a tag. */
export function isTag(text: string): boolean {
  return /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/.test(text);
}

/** Whether `text` may name a registry: `host[:port]`. */
export function isRegistryName(text: string): boolean {
  return registryPattern.test(text);
}

/**
 * Reads an image reference. As everywhere in the Docker world, a first part without `.`, `:` and other than
 * `localhost` is no registry: `nginx` is `docker.io/library/nginx`. A missing tag stays missing.
 *
 * @throws {@link OciError} `SP_OCI_REFERENCE`
 */
export function parseImageReference(text: string): ImageReference {
  const [beforeDigest = '', digest, ...extra] = text.split('@');
  if (extra.length > 0) throw invalid(text, 'it has two `@`');
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, 'its digest is malformed');
  // A colon after the last slash separates the tag; one before it belongs to the port.
  const colon = beforeDigest.indexOf(':', beforeDigest.lastIndexOf('/') + 1);
  const path = colon === -1 ? beforeDigest : beforeDigest.slice(0, colon);
  const tag = colon === -1 ? undefined : beforeDigest.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) throw invalid(text, 'its tag is malformed');
  const { registry, repository } = splitRegistry(path);
  if (!isRegistryName(registry)) throw invalid(text, 'its registry is malformed');
  if (!isRepositoryName(repository)) throw invalid(text, 'its repository is malformed');
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The reference as text, complete: `registry/repository[:tag][@digest]`. */
export function formatImageReference(reference: ImageReference): string {
  const { registry, repository, tag, digest } = reference;
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function splitRegistry(path: string): { registry: string; repository: string } {
  const slash = path.indexOf('/');
  const first = path.slice(0, Math.max(slash, 0));
  if (first !== '' && (/[.:[]/.test(first) || first === 'localhost')) {
    return { registry: first, repository: path.slice(slash + 1) };
  }
  return { registry: 'docker.io', repository: slash === -1 ? `library/${path}` : path };
}

function invalid(text: string, why: string): OciError {
  return new OciError('SP_OCI_REFERENCE', `Invalid image reference ${JSON.stringify(text)}: ${why}`);
}
