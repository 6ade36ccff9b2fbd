import { type Digest, isDigest } from './digest.ts';
import { isRepositoryName, isTag } from './reference.ts';

/** What a request to a registry is about. */
export type RegistryRoute =
  | { readonly kind: 'version' }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'manifest'; readonly repository: string; readonly tag: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | {
      readonly kind: 'invalid';
      readonly code: 'NAME_INVALID' | 'DIGEST_INVALID' | 'MANIFEST_INVALID' | 'UNSUPPORTED';
      readonly message: string;
    };

/** Reads the path of a registry URL. A repository's name may have slashes, so the end of the path decides. */
export function parseRegistryRoute(pathname: string): RegistryRoute {
  if (pathname === '/v2/' || pathname === '/v2') return { kind: 'version' };
  const match = /^\/v2\/(.+)\/(?:(blobs)\/uploads\/([^/]*)|(blobs|manifests|referrers)\/([^/]+)|(tags)\/list)$/.exec(
    pathname,
  );
  const [, repository, uploads, id, content, reference] = match ?? [];
  if (repository === undefined) return { kind: 'invalid', code: 'UNSUPPORTED', message: 'no such endpoint' };
  if (!isRepositoryName(repository)) {
    return { kind: 'invalid', code: 'NAME_INVALID', message: 'invalid repository name' };
  }
  if (uploads !== undefined) {
    return id === undefined || id === '' ? { kind: 'uploads', repository } : { kind: 'upload', repository, id };
  }
  if (content === undefined || reference === undefined) return { kind: 'tags', repository };
  // Clients may write a digest's colon as %3A; nothing else in a reference needs an escape.
  const name = reference.replace(/%3a/gi, ':');
  if (content !== 'manifests') {
    if (isDigest(name)) return { kind: content === 'blobs' ? 'blob' : 'referrers', repository, digest: name };
    return { kind: 'invalid', code: 'DIGEST_INVALID', message: 'not a sha256 or sha512 digest' };
  }
  if (isDigest(name)) return { kind: 'manifest', repository, digest: name };
  if (isTag(name)) return { kind: 'manifest', repository, tag: name };
  const code = name.includes(':') ? 'DIGEST_INVALID' : 'MANIFEST_INVALID';
  return { kind: 'invalid', code, message: 'neither a tag nor a sha256 or sha512 digest' };
}
