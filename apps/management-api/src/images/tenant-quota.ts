import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DiskRegistryStorage, isDigest } from '@sp/oci';
import { storageRepository } from './tenant-repository.ts';

const uploadPath = /\/blobs\/uploads\/([\w-]*)$/;

/**
 * Why a tenant may not upload more; `undefined` when it may. The upload that goes on counts with what it has and what the
 * request says that it brings: what did not say so is looked at when it is finished. One that is refused is forgotten.
 */
export async function refuseUpload(
  storage: DiskRegistryStorage,
  facts: { readonly tenantId: string; readonly request: Request; readonly maxBytes: number },
): Promise<string | undefined> {
  const { tenantId, request, maxBytes } = facts;
  const upload = uploadPath.exec(new URL(request.url).pathname);
  if (upload === null || !['POST', 'PATCH', 'PUT'].includes(request.method)) return undefined;
  const repository = storageRepository(tenantId);
  const id = upload[1] ?? '';
  const begun = id === '' ? 0 : ((await storage.uploads.get(repository, id)) ?? 0);
  const length = Number(request.headers.get('content-length') ?? 0);
  const more = begun + (Number.isSafeInteger(length) ? Math.max(0, length) : 0);
  const kept = await measureBlobs(storage, repository);
  // Not even the start of one where there is no room.
  if (kept + more <= maxBytes && (more > 0 || kept < maxBytes)) return undefined;
  if (begun > 0) await storage.uploads.delete(repository, id);
  return `the images of a tenant may take ${gibibytes(maxBytes)}, and these take ${gibibytes(kept)} without this upload`;
}

/** The bytes of all blobs of a repository, whoever else has them. */
async function measureBlobs(storage: DiskRegistryStorage, repository: string): Promise<number> {
  const folder = join(storage.directory, 'repositories', ...repository.split('/'), '_blobs');
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  let bytes = 0;
  for (const name of names) {
    const digest = `${name.length === 64 ? 'sha256' : 'sha512'}:${name}`;
    if (isDigest(digest)) bytes += (await storage.blobs.has(digest)) ?? 0;
  }
  return bytes;
}

function gibibytes(bytes: number): string {
  return `${Number((bytes / 1024 ** 3).toFixed(2))} GiB`;
}
