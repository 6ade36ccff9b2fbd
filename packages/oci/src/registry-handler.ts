import type { Digest } from './digest.ts';
import { maximumDocumentSize } from './image.ts';
import { isTag } from './reference.ts';
import { answer, errorAnswer } from './registry-answer.ts';
import { serveBlob } from './registry-blob-routes.ts';
import { deleteBlob, deleteManifest } from './registry-delete-routes.ts';
import { receiveManifest, serveManifest } from './registry-manifest-routes.ts';
import { listReferrers } from './registry-referrer-routes.ts';
import { parseRegistryRoute, type RegistryRoute } from './registry-route.ts';
import type { RegistryStorage } from './registry-storage.ts';
import { listTags } from './registry-tag-routes.ts';
import {
  appendUpload,
  cancelUpload,
  finishUpload,
  showUpload,
  startUpload,
  type UploadContext,
} from './registry-upload-routes.ts';

/** What a request wants to do, for the decision about it. */
export interface RegistryAccess {
  /** `push` is for everything that changes something, deleting too. */
  readonly action: 'pull' | 'push';
  /** Missing when the request is about no repository: the version check, or a path that means nothing. */
  readonly repository?: string | undefined;
  /** The tag of a manifest request by tag. */
  readonly tag?: string | undefined;
  /** The digest of a blob request, or of a manifest request by digest. */
  readonly digest?: Digest | undefined;
  /** The request itself, for its headers; its body belongs to the handler. */
  readonly request: Request;
}

/** The decision about a request. */
export type RegistryDecision =
  | { readonly allow: true; readonly account?: string | undefined }
  | {
      readonly allow: false;
      readonly status: 401 | 403 | 404;
      readonly code: 'UNAUTHORIZED' | 'DENIED' | 'NAME_UNKNOWN';
      /** For the client's user. */
      readonly message: string;
      /** `WWW-Authenticate`: tells the client how to log in. */
      readonly challenge?: string | undefined;
    };

/** A manifest that was just stored. */
export interface ManifestStoredEvent {
  /** The repository that it was pushed to. */
  readonly repository: string;
  /** The tag that now points at it, if it was pushed by tag. */
  readonly tag?: string | undefined;
  /** Digest of the manifest. */
  readonly digest: Digest;
  /** Who pushed it, as {@link RegistryDecision} said. */
  readonly account?: string | undefined;
}

/** Options of {@link createRegistryHandler}. */
export interface RegistryHandlerOptions {
  /** Where everything is kept. */
  readonly storage: RegistryStorage;
  /** Called for every request before anything else is done. */
  readonly authorize: (access: RegistryAccess) => Promise<RegistryDecision>;
  /** Longest manifest that is taken, in bytes. @defaultValue 4 MiB, the least that the specification allows */
  readonly maxManifestBytes?: number | undefined;
  /** Longest blob that is taken, in bytes. @defaultValue no limit */
  readonly maxBlobBytes?: number | undefined;
  /** Whether tags, manifests and blobs can be deleted, by those who may push. @defaultValue false */
  readonly allowDelete?: boolean | undefined;
  /**
   * Whether a manifest may name layers that the registry does not have, because they say that they are to be had
   * elsewhere (`urls`, or a non-distributable type). Where several owners share one blob store, such a layer would name
   * the content of others: `refuse` wants it in the repository like any other.
   * @defaultValue 'accept', as the specification has it
   */
  readonly foreignLayers?: 'accept' | 'refuse' | undefined;
  /** Called after a manifest is stored and its tag has moved, before the answer. */
  readonly onManifest?: ((event: ManifestStoredEvent) => void) | undefined;
}

/**
 * Serves the OCI distribution API below `/v2/` of any web-standard server: pull, push, lists of tags and of
 * referrers, and deletion if that is wanted.
 *
 * @throws {@link OciError} `SP_OCI_STORAGE` (a rejected promise) when the disk fails: a matter for the server around it
 */
export function createRegistryHandler(options: RegistryHandlerOptions): (request: Request) => Promise<Response> {
  const { storage, authorize, onManifest, allowDelete = false, foreignLayers = 'accept' } = options;
  const { maxManifestBytes = maximumDocumentSize, maxBlobBytes = Number.POSITIVE_INFINITY } = options;
  const uploads: UploadContext = {
    storage,
    maximumBytes: maxBlobBytes,
    busy: new Set<string>(),
    mayPull: async (access) => (await authorize({ action: 'pull', ...access })).allow,
  };

  return async (request) => {
    const url = new URL(request.url);
    const route = parseRegistryRoute(url.pathname);
    const action = isPull(request.method, route) ? 'pull' : 'push';
    const decision = await authorize({ action, ...subjectOf(route), request });
    if (!decision.allow) return refusal(decision);
    const { method } = request;
    switch (route.kind) {
      case 'version':
        if (method !== 'GET' && method !== 'HEAD') return unsupported();
        return answer(200, { 'content-type': 'application/json' }, method === 'HEAD' ? null : '{}');
      case 'blob':
        if (method === 'DELETE' && allowDelete) return deleteBlob(storage, route);
        return method === 'GET' || method === 'HEAD' ? serveBlob(storage, { ...route, request }) : unsupported();
      case 'manifest': {
        if (method === 'GET' || method === 'HEAD') return serveManifest(storage, { ...route, request });
        if (method === 'DELETE' && allowDelete) return deleteManifest(storage, route);
        if (method !== 'PUT') return unsupported();
        const { repository } = route;
        const tags = tagsToSet(route, url);
        if (tags === undefined) return errorAnswer(400, { code: 'MANIFEST_INVALID', message: 'invalid tags' });
        // The decision was about the path; the tags beside it move just as much.
        for (const tag of 'tag' in route ? [] : tags) {
          const also = await authorize({ action, repository, tag, request });
          if (!also.allow) return refusal(also);
        }
        const account = decision.account === undefined ? {} : { account: decision.account };
        const onStored = (digest: Digest): void => {
          for (const tag of tags.length === 0 ? [{}] : tags.map((name) => ({ tag: name }))) {
            onManifest?.({ repository, ...tag, digest, ...account });
          }
        };
        const target = { repository, tags, digest: 'digest' in route ? route.digest : undefined };
        const rules = { maximumBytes: maxManifestBytes, foreignLayers };
        return receiveManifest(storage, { ...target, ...rules, request, onStored });
      }
      case 'tags':
        return method === 'GET' ? listTags(storage, { ...route, url }) : unsupported();
      case 'referrers':
        return method === 'GET' ? listReferrers(storage, { ...route, url }) : unsupported();
      case 'uploads':
        return method === 'POST' ? startUpload(uploads, { ...route, request, url }) : unsupported();
      case 'upload': {
        const target = { ...route, request, url };
        if (method === 'PATCH') return appendUpload(uploads, target);
        if (method === 'PUT') return finishUpload(uploads, target);
        if (method === 'GET') return showUpload(uploads, target);
        return method === 'DELETE' ? cancelUpload(uploads, target) : unsupported();
      }
      case 'invalid': {
        const { code, message } = route;
        return errorAnswer(code === 'UNSUPPORTED' ? 404 : 400, { code, message });
      }
    }
  };
}

function refusal({ status, code, message, challenge }: RegistryDecision & { readonly allow: false }): Response {
  return errorAnswer(status, { code, message }, challenge === undefined ? {} : { 'www-authenticate': challenge });
}

/** A manifest that is pushed by its digest may name up to ten tags in the query: `?tag=v1&tag=latest`. */
function tagsToSet(route: RegistryRoute & { readonly kind: 'manifest' }, url: URL): readonly string[] | undefined {
  if ('tag' in route) return [route.tag];
  const tags = Array.from(new Set(url.searchParams.getAll('tag')));
  return tags.length <= 10 && tags.every(isTag) ? tags : undefined;
}

function isPull(method: string, { kind }: RegistryRoute): boolean {
  // The state of an upload is a matter for who uploads.
  return (method === 'GET' || method === 'HEAD') && kind !== 'upload' && kind !== 'uploads';
}

function subjectOf(route: RegistryRoute): Pick<RegistryAccess, 'repository' | 'tag' | 'digest'> {
  if (route.kind === 'version' || route.kind === 'invalid') return {};
  const { repository } = route;
  if (route.kind === 'manifest') {
    return 'tag' in route ? { repository, tag: route.tag } : { repository, digest: route.digest };
  }
  return route.kind === 'blob' || route.kind === 'referrers' ? { repository, digest: route.digest } : { repository };
}

function unsupported(): Response {
  return errorAnswer(405, { code: 'UNSUPPORTED', message: 'not possible in this registry' });
}
