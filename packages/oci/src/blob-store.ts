import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { abortable } from './abortable.ts';
import { algorithmOf, createDigester, type Digest, digestHex, isDigest } from './digest.ts';
import { OciError } from './error.ts';
import { readFileStream } from './file-read.ts';
import { isMissing, storageError } from './file-write.ts';

/** Part of a blob in bytes: `start` is the first, `end` is one past the last, as in `slice`. */
export interface ByteRange {
  /** The first byte, from 0. */
  readonly start: number;
  /** The byte after the last. */
  readonly end: number;
}

/** Options of {@link BlobStore.write}. */
export interface BlobWriteOptions {
  /** The digest that the content must have. */
  readonly expected?: Digest | undefined;
  /** Stops the write; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
}

/** Content on disk under its digest. Equal content is stored once; a blob is there completely or not at all. */
export interface BlobStore {
  /** The size of a blob in bytes, or `undefined` when it is not here. */
  has(digest: Digest): Promise<number | undefined>;
  /**
   * The bytes of a blob, or of a part of it. Read the stream to its end or cancel it: it holds an open file.
   *
   * @throws {@link OciError} `SP_OCI_BLOB_UNKNOWN`
   */
  read(digest: Digest, range?: ByteRange): Promise<ReadableStream<Uint8Array>>;
  /**
   * Stores content and says what it was.
   *
   * @throws {@link OciError} `SP_OCI_DIGEST_MISMATCH` when it is not what was expected, `SP_OCI_STORAGE`
   */
  write(
    content: AsyncIterable<Uint8Array> | Uint8Array,
    options?: BlobWriteOptions,
  ): Promise<{ readonly digest: Digest; readonly size: number }>;
  /** Removes a blob; a blob that is not here is fine. */
  delete(digest: Digest): Promise<void>;
  /** Where the blob is, or would be, on disk. */
  path(digest: Digest): string;
}

/** Opens the blob store `<directory>/blobs/<algorithm>/<hex>`, the layout of an OCI image layout. Folders appear with the first write. */
export function createBlobStore(directory: string): BlobStore {
  const path = (digest: Digest): string => blobPath(directory, digest);
  return {
    path,
    async has(digest) {
      try {
        return (await stat(path(digest))).size;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw storageError(path(digest), error);
      }
    },
    async read(digest, range) {
      try {
        return await readFileStream(path(digest), range);
      } catch (error) {
        if (isMissing(error)) throw new OciError('SP_OCI_BLOB_UNKNOWN', `No blob ${digest}`, { digest });
        throw storageError(path(digest), error);
      }
    },
    write: (content, options = {}) => writeBlob(directory, content, options),
    async delete(digest) {
      await rm(path(digest), { force: true });
    },
  };
}

/** Makes a complete, already verified file a blob of the store in `directory`. The file must be on the same disk. */
export async function adoptBlob(directory: string, file: string, digest: Digest): Promise<void> {
  await mkdir(join(directory, 'blobs', algorithmOf(digest)), { recursive: true });
  // An equal blob may be there already: same bytes, so replacing it is harmless.
  await rename(file, blobPath(directory, digest));
}

function blobPath(directory: string, digest: Digest): string {
  // The type allows any text after the colon, and the text becomes a path.
  if (!isDigest(digest)) throw new OciError('SP_OCI_BLOB_UNKNOWN', `Not a digest: ${JSON.stringify(digest)}`);
  return join(directory, 'blobs', algorithmOf(digest), digestHex(digest));
}

async function writeBlob(
  directory: string,
  content: AsyncIterable<Uint8Array> | Uint8Array,
  { expected, signal }: BlobWriteOptions,
): Promise<{ digest: Digest; size: number }> {
  const digester = createDigester(expected === undefined ? 'sha256' : algorithmOf(expected));
  const temporary = join(directory, 'blobs', `.incoming-${randomUUID()}`);
  const disk = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw storageError(temporary, error);
    }
  };
  await disk(mkdir(join(directory, 'blobs'), { recursive: true }));
  try {
    const handle = await disk(open(temporary, 'wx', 0o644));
    try {
      for await (const chunk of abortable(piecesOf(content), signal)) {
        const written = disk(handle.writeFile(chunk));
        // Hashed while the disk works.
        digester.update(chunk);
        await written;
      }
      await disk(handle.sync());
    } finally {
      await handle.close();
    }
    const digest = digester.digest();
    if (expected !== undefined && expected !== digest) {
      throw new OciError('SP_OCI_DIGEST_MISMATCH', `Content is ${digest}, not ${expected}`, { digest: expected });
    }
    await disk(adoptBlob(directory, temporary, digest));
    return { digest, size: digester.size };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function* piecesOf(content: AsyncIterable<Uint8Array> | Uint8Array): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) yield content;
  else yield* content;
}
