import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createTarDecoder, createTarPacker } from 'modern-tar';
import { type FileFacts, normalMode } from '../file-facts.ts';
import type { Limits } from '../limits.ts';
import { checkPaths } from '../path-rules.ts';
import { isSyncError, SyncError } from '../sync-error.ts';
import type { ContentStore } from '../tree/content-store.ts';
import { sha256 } from '../tree/hash-file.ts';
import { gunzipped, gzipped } from './compressed-stream.ts';

/** Compressed tarballs are no larger than that, as the predecessor's server has it. */
export const maxTarballBytes = 100 * 1024 * 1024;

/** A file to pack. */
export interface FileToPack extends FileFacts {
  readonly path: string;
  /** Where its content is. */
  readonly file: string;
}

/** A gzip tarball of files, as the predecessor makes them: no folders, names relative to the root. */
export function packTarball(files: readonly FileToPack[]): Readable {
  const { readable, controller } = createTarPacker();
  const pack = async (): Promise<void> => {
    for (const { path, size, mode, file } of files) {
      const writer = controller.add({ name: path, size, mode, type: 'file', mtime: new Date(0) }).getWriter();
      for await (const piece of createReadStream(file)) {
        await writer.ready;
        await writer.write(piece as Buffer);
      }
      await writer.close();
    }
    controller.finalize();
  };
  pack().catch((error: unknown) => controller.error(error));
  return gzipped(readable);
}

/**
 * Stages the files of a gzip tarball. A tarball with one entry that is unsafe is refused whole.
 *
 * @throws {@link SyncError} `SP_SYNC_UNSAFE_PATH`, `SP_SYNC_TOO_LARGE`, `SP_SYNC_DAMAGED`
 */
export async function unpackTarball(
  source: AsyncIterable<Uint8Array>,
  { contents, limits }: { readonly contents: ContentStore; readonly limits: Limits },
): Promise<ReadonlyMap<string, FileFacts>> {
  const files = new Map<string, FileFacts>();
  let total = 0;
  const tooLarge = (): SyncError => {
    return new SyncError('SP_SYNC_TOO_LARGE', `Cannot unpack the tarball: it has more than ${limits.maxBytes} bytes`);
  };
  try {
    const tar = gunzipped(source);
    const entries = (Readable.toWeb(tar) as ReadableStream<Uint8Array>).pipeThrough(createTarDecoder({ strict: true }));
    for await (const { header, body } of entries as unknown as AsyncIterable<{
      readonly header: { readonly name: string; readonly size: number; readonly type?: string; readonly mode?: number };
      readonly body: ReadableStream<Uint8Array>;
    }>) {
      const { name, size, type = 'file', mode = 0o644 } = header;
      if (type !== 'file' && type !== 'directory') {
        throw new SyncError('SP_SYNC_UNSAFE_PATH', `Cannot unpack ${JSON.stringify(name)}: it is a ${type}`, {
          path: name,
        });
      }
      total += size;
      if (total > limits.maxBytes || size > limits.maxFileBytes || files.size >= limits.maxFiles) throw tooLarge();
      const path = name.replace(/\/+$/, '').replace(/^\.\//, '');
      const pieces: Uint8Array[] = [];
      for await (const piece of body as unknown as AsyncIterable<Uint8Array>) pieces.push(piece);
      if (type === 'directory') {
        if (path !== '.' && path !== '') checkPaths([path]);
        continue;
      }
      if (files.has(path)) {
        throw new SyncError('SP_SYNC_UNSAFE_PATH', `Cannot unpack ${JSON.stringify(name)}: it is there twice`, {
          path,
        });
      }
      checkPaths([path]);
      const content = Buffer.concat(pieces);
      const facts = { hash: sha256(content), size: content.length, mode: normalMode(mode) };
      contents.put(facts.hash, content);
      files.set(path, facts);
    }
  } catch (error) {
    if (isSyncError(error)) throw error;
    throw new SyncError('SP_SYNC_DAMAGED', 'Cannot unpack the tarball: it is damaged', { retryable: true });
  }
  checkPaths(files.keys());
  return files;
}
