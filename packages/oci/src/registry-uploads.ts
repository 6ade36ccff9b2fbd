import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { adoptBlob } from './blob-store.ts';
import { algorithmOf, createDigester, type Digest, type Digester, digestOfStream } from './digest.ts';
import { OciError } from './error.ts';
import { isMissing, storageError } from './file-write.ts';

/** An upload that got nothing for a day is given up. */
const staleAfter = 24 * 60 * 60 * 1000;

/** Uploads that are under way. Each belongs to one repository and cannot be reached through another. */
export interface UploadStore {
  /** Starts an upload and gives its id. */
  create(repository: string): Promise<string>;
  /** Bytes received so far, or `undefined` when there is no such upload. */
  get(repository: string, id: string): Promise<number | undefined>;
  /**
   * Appends content. What arrived before an error stays, for the client to go on from there.
   *
   * @throws {@link OciError} `SP_OCI_NOT_FOUND`, `SP_OCI_STORAGE`
   */
  write(repository: string, id: string, content: AsyncIterable<Uint8Array>): Promise<number>;
  /**
   * Turns the upload into a blob of the repository. Ends the upload in any case.
   *
   * @throws {@link OciError} `SP_OCI_DIGEST_MISMATCH`, `SP_OCI_NOT_FOUND`, `SP_OCI_STORAGE`
   */
  complete(repository: string, id: string, digest: Digest): Promise<number>;
  /** Forgets an upload and what it received. */
  delete(repository: string, id: string): Promise<void>;
}

/** What uploads on disk need from the storage around them. */
export interface UploadStoreOptions {
  /** Directory of the blob store. */
  readonly directory: string;
  /** Folder for the uploads of a repository; on the same disk as `directory`. */
  readonly folder: (repository: string) => string;
  /** Called when a blob is complete and in the blob store. */
  readonly onComplete: (repository: string, digest: Digest) => Promise<void>;
}

export function createUploadStore({ directory, folder, onComplete }: UploadStoreOptions): UploadStore {
  // Digests of what is in the files so far. Only a shortcut: after a restart the file is read again.
  const digesters = new Map<string, Digester>();

  const file = (repository: string, id: string): string => {
    if (!/^[0-9a-f-]{36}$/.test(id)) throw unknownUpload(repository);
    return join(folder(repository), id);
  };

  const sizeOf = async (path: string): Promise<number | undefined> => {
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw storageError(path, error);
    }
  };

  const digesterOf = async (path: string, size: number): Promise<Digester> => {
    const known = digesters.get(path);
    if (known?.size === size) return known;
    const digester = createDigester();
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) digester.update(chunk);
    return digester;
  };

  const store: UploadStore = {
    async create(repository) {
      const id = randomUUID();
      const path = file(repository, id);
      await onDisk(path, mkdir(folder(repository), { recursive: true }));
      await onDisk(
        path,
        dropStale(folder(repository), (stale) => digesters.delete(stale)),
      );
      const handle = await onDisk(path, open(path, 'wx', 0o644));
      await handle.close();
      digesters.set(path, createDigester());
      return id;
    },
    async get(repository, id) {
      return /^[0-9a-f-]{36}$/.test(id) ? sizeOf(file(repository, id)) : undefined;
    },
    async write(repository, id, content) {
      const path = file(repository, id);
      const size = await sizeOf(path);
      if (size === undefined) throw unknownUpload(repository);
      const digester = await digesterOf(path, size);
      digesters.set(path, digester);
      // Not `a`: that would make the file again when the upload was deleted meanwhile.
      const handle = await onDisk(path, open(path, 'r+'));
      try {
        for await (const chunk of content) {
          await onDisk(path, writeAt(handle, chunk, digester.size));
          digester.update(chunk);
        }
      } finally {
        await handle.close();
      }
      return digester.size;
    },
    async complete(repository, id, digest) {
      const path = file(repository, id);
      const size = await sizeOf(path);
      if (size === undefined) throw unknownUpload(repository);
      try {
        const actual =
          algorithmOf(digest) === 'sha256'
            ? (await digesterOf(path, size)).digest()
            : await digestOfStream(createReadStream(path) as AsyncIterable<Buffer>, digest);
        if (actual !== digest) {
          throw new OciError('SP_OCI_DIGEST_MISMATCH', `Content is ${actual}, not ${digest}`, { repository, digest });
        }
        const handle = await onDisk(path, open(path, 'r+'));
        try {
          await onDisk(path, handle.sync());
        } finally {
          await handle.close();
        }
        await onDisk(path, adoptBlob(directory, path, digest));
        await onComplete(repository, digest);
        return size;
      } finally {
        await store.delete(repository, id);
      }
    },
    async delete(repository, id) {
      const path = file(repository, id);
      digesters.delete(path);
      await onDisk(path, rm(path, { force: true }));
    },
  };
  return store;
}

/** Clients that went away do not say so. Looked at when the next upload of the repository starts: no timer needed. */
async function dropStale(folder: string, onDropped: (path: string) => void): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info === undefined || Date.now() - info.mtimeMs <= staleAfter) continue;
    await rm(path, { force: true });
    onDropped(path);
  }
}

async function writeAt(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < chunk.byteLength) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.byteLength - written, position + written);
    written += bytesWritten;
  }
}

async function onDisk<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw storageError(path, error);
  }
}

function unknownUpload(repository: string): OciError {
  return new OciError('SP_OCI_NOT_FOUND', `No such upload in ${repository}`, { repository });
}
