import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CollectedGarbage,
  collectGarbage,
  createDiskRegistryStorage,
  createRegistryHandler,
  type Digest,
  type RegistryAccess,
  type RegistryDecision,
  type RegistryStorage,
} from '@sp/oci';
import { createRegistryTokens, type RegistryGrant } from './registry-tokens.ts';
import { createTenantQuota, TenantFullError, type TenantQuota } from './tenant-quota.ts';
import { publicRepository, storageRepository, tenantOfTag, tenantTag } from './tenant-repository.ts';
import { tenantStorage } from './tenant-storage.ts';
import { answerTokenRequest } from './token-endpoint.ts';

/** Options of {@link createImages}. */
export interface ImagesOptions {
  /** Where the registry keeps everything. */
  readonly directory: string;
  /** `host:port` by which clients reach the registry. */
  readonly registry: string;
  /** Signs passwords and access tokens; at least 32 bytes. */
  readonly secret: Uint8Array;
  /** @defaultValue 4 GiB */
  readonly maxBlobBytes?: number | undefined;
  /** How much the images of one tenant and its unfinished uploads may take, in bytes. @defaultValue no limit */
  readonly maxTenantBytes?: number | undefined;
  /**
   * The digests of all releases that run or can be brought back. They stay, whatever the tags say, and cannot be
   * deleted. Without it nothing is ever taken away.
   */
  readonly releaseDigests?: (() => Promise<readonly Digest[]>) | undefined;
  /** Time between two collections of garbage, in milliseconds. @defaultValue 1 hour */
  readonly collectEveryMs?: number | undefined;
  /** Called when a collection that nobody waits for failed. @defaultValue nothing */
  readonly onCollectFailed?: ((error: unknown) => void) | undefined;
  /** Milliseconds since the epoch. @defaultValue Date.now */
  readonly now?: (() => number) | undefined;
}

/** A login to the registry, good for one tenant's tag and some minutes. */
export interface RegistryLogin {
  readonly registry: string;
  readonly username: string;
  /** The password. */
  readonly token: string;
  readonly repository: string;
  readonly tag: string;
}

/** The images of all tenants. */
export interface Images {
  /** Serves everything under `/v2/`. */
  fetch(request: Request): Promise<Response>;
  /** A login to push and pull a tenant's image. */
  issueToken(tenantId: string): Promise<RegistryLogin>;
  /** A login that only reads a tenant's image: for who runs it. */
  pullToken(tenantId: string): Promise<RegistryLogin>;
  /** The one image reference that a tenant may deploy: `registry/repository:tag`. */
  expectedImage(tenantId: string): string;
  /** What the tenant's tag stands for now; `undefined` when nothing was pushed. */
  resolve(tenantId: string): Promise<{ readonly digest: Digest } | undefined>;
  /** The ids of all tenants of which there is something. */
  listTenants(): Promise<readonly string[]>;
  /** Forgets everything that a tenant pushed. */
  remove(tenantId: string): Promise<void>;
  /**
   * Takes away what no tag, no release and no push of the last day leads to, and uploads that were given up. Done by
   * itself every {@link ImagesOptions.collectEveryMs}; `undefined` when the releases are not known.
   */
  collectGarbage(options?: { readonly signal?: AbortSignal | undefined }): Promise<CollectedGarbage | undefined>;
  /** Ends the collections. */
  close(): Promise<void>;
  /** For use inside the server. A tenant's content is in the repository {@link storageRepository}. */
  readonly storage: RegistryStorage;
}

const username = 'systemprompt';

/** How long something may lie there before it counts as given up: a push may be interrupted, and taken up tomorrow. */
const patienceMs = 24 * 60 * 60 * 1000;

/**
 * The built-in registry. All tenants see one repository, `systemprompt-images`, and in it nothing but their own tag
 * `tenant-<id>` and what they pushed themselves: each has a repository of its own behind that name.
 */
export function createImages(options: ImagesOptions): Images {
  const { directory, registry, secret, maxBlobBytes = 4 * 1024 ** 3, maxTenantBytes, now = Date.now } = options;
  const { releaseDigests, collectEveryMs = 60 * 60 * 1000, onCollectFailed } = options;
  const storage = createDiskRegistryStorage(directory);
  const tokens = createRegistryTokens({ secret, service: registry, now });
  // One handler for each tenant: it knows which uploads are being written to, and counts what they bring.
  const handlers = new Map<string, (request: Request) => Promise<Response>>();

  const bearerOf = async (request: Request) => {
    const token = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    return token === undefined ? undefined : tokens.verifyAccess(token);
  };

  const challenge = ({ repository, action }: RegistryAccess): string => {
    const realm = `Bearer realm="${originOf(registry)}/v2/token",service="${registry}"`;
    if (repository === undefined) return realm;
    return `${realm},scope="repository:${repository}:${action === 'push' ? 'pull,push' : 'pull'}"`;
  };

  async function authorize(access: RegistryAccess, quota?: TenantQuota): Promise<RegistryDecision> {
    const grant = await bearerOf(access.request);
    const login = { allow: false, status: 401, code: 'UNAUTHORIZED', challenge: challenge(access) } as const;
    if (grant === undefined) return { ...login, message: 'authentication required' };
    const refusal = refusalOf(access, grant);
    if (refusal !== undefined) return { allow: false, status: 403, code: 'DENIED', message: refusal };
    // The client may have asked for less than it may have: it learns what to ask for.
    if (access.repository !== undefined && !grant.actions.includes(access.action)) {
      return { ...login, message: `a token for ${access.action} is required` };
    }
    const kept = access.request.method === 'DELETE' ? await reasonToKeep(access) : undefined;
    if (kept !== undefined) return { allow: false, status: 403, code: 'DENIED', message: kept };
    const full = access.action === 'push' ? await quota?.refuse(access.request) : undefined;
    if (full !== undefined) return { allow: false, status: 403, code: 'DENIED', message: full };
    return { allow: true, account: grant.tenantId };
  }

  /** Why something must not be deleted. A tag may always go: releases know their image by its digest. */
  async function reasonToKeep({ digest, request }: RegistryAccess): Promise<string | undefined> {
    if (digest === undefined) return undefined;
    const { pathname } = new URL(request.url);
    if (!pathname.includes('/manifests/')) return 'content goes by itself when no manifest leads to it';
    if (releaseDigests === undefined) return 'nothing is deleted from this registry';
    return (await releaseDigests()).includes(digest) ? 'a release needs it' : undefined;
  }

  // One at a time, and none that begins after the end.
  const ended = new AbortController();
  let collecting: Promise<CollectedGarbage | undefined> | undefined;
  async function collect(signal?: AbortSignal): Promise<CollectedGarbage | undefined> {
    if (releaseDigests === undefined) return undefined;
    // The time first: a release that is made meanwhile is of something that arrived meanwhile, or was asked for.
    const olderThan = new Date(now() - patienceMs);
    const keep = await releaseDigests();
    return collectGarbage({
      storage,
      keep,
      olderThan,
      signal: AbortSignal.any([ended.signal, ...(signal ? [signal] : [])]),
    });
  }
  const collectOnce = (signal?: AbortSignal): Promise<CollectedGarbage | undefined> =>
    (collecting ??= collect(signal).finally(() => (collecting = undefined)));
  const timer =
    releaseDigests === undefined
      ? undefined
      : setInterval(() => {
          collectOnce().catch((error: unknown) => {
            if (!ended.signal.aborted) onCollectFailed?.(error);
          });
        }, collectEveryMs).unref();

  function handlerOf(tenantId: string): (request: Request) => Promise<Response> {
    const known = handlers.get(tenantId);
    if (known !== undefined) return known;
    const quota =
      maxTenantBytes === undefined ? undefined : createTenantQuota(storage, { tenantId, maxBytes: maxTenantBytes });
    const limited = quota === undefined ? storage : { ...storage, uploads: quota.uploads };
    const handler = createRegistryHandler({
      storage: tenantStorage(limited, tenantId),
      authorize: (access) => authorize(access, quota),
      maxBlobBytes,
      allowDelete: true,
      // All tenants' blobs are in one store.
      foreignLayers: 'refuse',
    });
    handlers.set(tenantId, handler);
    return handler;
  }
  const refuseAnonymous = createRegistryHandler({
    storage: tenantStorage(storage, 'nobody'),
    authorize: (access) => authorize(access),
  });

  const login = async (grant: RegistryGrant): Promise<RegistryLogin> => ({
    registry,
    username,
    token: await tokens.issuePassword(grant),
    repository: publicRepository,
    tag: tenantTag(grant.tenantId),
  });

  return {
    storage,
    async fetch(request) {
      if (new URL(request.url).pathname === '/v2/token')
        return answerTokenRequest(request, { tokens, service: registry });
      const grant = await bearerOf(request);
      if (grant === undefined) return refuseAnonymous(request);
      return handlerOf(grant.tenantId)(request).catch((error: unknown) => {
        if (!(error instanceof TenantFullError)) throw error;
        return Response.json({ errors: [{ code: 'DENIED', message: error.message }] }, { status: 403 });
      });
    },
    issueToken: (tenantId) => login({ tenantId, allowed: ['pull', 'push'] }),
    pullToken: (tenantId) => login({ tenantId, allowed: ['pull'] }),
    expectedImage: (tenantId) => `${registry}/${publicRepository}:${tenantTag(tenantId)}`,
    async resolve(tenantId) {
      const found = await storage.resolve(storageRepository(tenantId), tenantTag(tenantId));
      return found === undefined ? undefined : { digest: found.digest };
    },
    collectGarbage: ({ signal } = {}) => collectOnce(signal),
    async close() {
      clearInterval(timer);
      ended.abort();
      await collecting?.catch(() => {});
    },
    async listTenants() {
      const folder = join(directory, 'repositories', publicRepository);
      const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      });
      return names.flatMap((name) => tenantOfTag(name) ?? []).sort();
    },
    async remove(tenantId) {
      // The blobs themselves may be another's too; without the repository nobody reaches them through this tenant.
      await rm(join(directory, 'repositories', ...storageRepository(tenantId).split('/')), {
        recursive: true,
        force: true,
      });
      handlers.delete(tenantId);
    },
  };
}

/** Why a request is never allowed with this token, whatever else is asked for. */
function refusalOf({ repository, tag, action }: RegistryAccess, grant: RegistryGrant): string | undefined {
  if (repository === undefined) return undefined;
  if (repository !== publicRepository) return 'the token is for another repository';
  if (tag !== undefined && tag !== tenantTag(grant.tenantId)) return 'the token is for another tag';
  return grant.allowed.includes(action) ? undefined : `the token does not allow ${action}`;
}

/** Docker and every other client speak plain HTTP to this computer's own addresses, and TLS to all others. */
function originOf(registry: string): string {
  const host = registry.replace(/:\d+$/, '');
  const local = host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
  return `${local ? 'http' : 'https'}://${registry}`;
}
