import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DiskRegistryStorage, isDigest } from '@sp/oci';
import { createSerializer } from '../machines/serialize.ts';
import { storageRepository } from './tenant-repository.ts';

/** There is no more room for a tenant's images; the message is for its owner. */
export class TenantFullError extends Error {
  override readonly name = 'TenantFullError';
}

/** How much room a tenant's images have: for what is kept and for the uploads that are not finished, together. */
export interface TenantQuota {
  /** Why a request to upload is refused before its content is read: there is no room for what it says that it brings. */
  refuse(request: Request): Promise<string | undefined>;
  /**
   * The storage's uploads, their content counted as it comes, whatever a request said. One that finds no room is forgotten.
   * @throws {TenantFullError} by `write` and `complete`
   */
  readonly uploads: DiskRegistryStorage['uploads'];
}

const uploadPath = /\/blobs\/uploads\/([\w-]*)$/;

/** Counts exactly in one process. Several with the same folder see of each other what is on the disk. */
export function createTenantQuota(
  storage: DiskRegistryStorage,
  facts: { readonly tenantId: string; readonly maxBytes: number },
): TenantQuota {
  const { maxBytes } = facts;
  const { uploads } = storage;
  const tenantRepository = storageRepository(facts.tenantId);
  // An upload that becomes a blob must not be missed, or counted twice, by who measures meanwhile.
  const serialize = createSerializer();
  const writing = new Set<string>();
  /** What was measured last, and what has come since. */
  let taken = 0;
  let arrived = 0;
  /** Of what has arrived: what may not be in its file yet. */
  let unwritten = 0;

  const measure = async (): Promise<number> => {
    const before = arrived;
    const late = unwritten;
    // In this order: what is finished meanwhile by another process is rather counted twice than not at all.
    const open = await measureUploads(storage, tenantRepository);
    const kept = await measureBlobs(storage, tenantRepository);
    taken = open + kept + late + arrived - before;
    return open + kept;
  };
  const measureInTurn = (): Promise<number> => serialize('', measure);

  const whyFull = async (repository: string, id: string): Promise<string> => {
    const others = Math.max(0, taken - ((await uploads.get(repository, id)) ?? 0));
    const used = `what is kept and being uploaded takes ${gibibytes(others)} without this upload`;
    return `the images of a tenant may take ${gibibytes(maxBytes)}, and ${used}`;
  };

  async function* count(content: AsyncIterable<Uint8Array>, upload: { repository: string; id: string }) {
    for await (const piece of content) {
      const { byteLength } = piece;
      // Other uploads may have been forgotten since the last look.
      if (taken + byteLength > maxBytes) await measureInTurn();
      if (taken + byteLength > maxBytes) throw new TenantFullError(await whyFull(upload.repository, upload.id));
      taken += byteLength;
      arrived += byteLength;
      unwritten += byteLength;
      try {
        yield piece;
      } finally {
        unwritten -= byteLength;
      }
    }
  }

  return {
    async refuse(request) {
      const upload = uploadPath.exec(new URL(request.url).pathname);
      if (upload === null || !['POST', 'PATCH', 'PUT'].includes(request.method)) return undefined;
      const id = upload[1] ?? '';
      const announced = Number(request.headers.get('content-length') ?? 0);
      const length = Number.isSafeInteger(announced) ? Math.max(0, announced) : 0;
      await measureInTurn();
      // Not even the start of one where there is no room.
      const hasRoom = id === '' && length === 0 ? taken < maxBytes : taken + length <= maxBytes;
      if (hasRoom) return undefined;
      const reason = await whyFull(tenantRepository, id);
      // What somebody writes to would go on to take room, unseen.
      if (!writing.has(id) && (await uploads.get(tenantRepository, id)) !== undefined) {
        await uploads.delete(tenantRepository, id);
      }
      return reason;
    },
    uploads: {
      ...uploads,
      async write(repository, id, content) {
        writing.add(id);
        try {
          await measureInTurn();
          return await uploads.write(repository, id, count(content, { repository, id }));
        } catch (error) {
          if (error instanceof TenantFullError) await uploads.delete(repository, id);
          throw error;
        } finally {
          writing.delete(id);
        }
      },
      complete: (repository, id, digest) =>
        serialize('', async () => {
          // What this process takes in was counted; another one's is only on the disk.
          if ((await measure()) <= maxBytes) return uploads.complete(repository, id, digest);
          const reason = await whyFull(repository, id);
          await uploads.delete(repository, id);
          throw new TenantFullError(reason);
        }),
    },
  };
}

/** The bytes that the uploads of a repository have received so far. */
async function measureUploads(storage: DiskRegistryStorage, repository: string): Promise<number> {
  let bytes = 0;
  for (const id of await namesIn(storage, repository, '_uploads')) {
    bytes += (await storage.uploads.get(repository, id)) ?? 0;
  }
  return bytes;
}

/** The bytes of all blobs of a repository, whoever else has them. */
async function measureBlobs(storage: DiskRegistryStorage, repository: string): Promise<number> {
  let bytes = 0;
  for (const name of await namesIn(storage, repository, '_blobs')) {
    const digest = `${name.length === 64 ? 'sha256' : 'sha512'}:${name}`;
    if (isDigest(digest)) bytes += (await storage.blobs.has(digest)) ?? 0;
  }
  return bytes;
}

async function namesIn(storage: DiskRegistryStorage, repository: string, kind: string): Promise<readonly string[]> {
  const folder = join(storage.directory, 'repositories', ...repository.split('/'), kind);
  return await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

function gibibytes(bytes: number): string {
  return `${Number((bytes / 1024 ** 3).toFixed(2))} GiB`;
}
