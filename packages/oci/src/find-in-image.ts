import type { BlobStore } from './blob-store.ts';
import type { OciImage } from './image.ts';
import { readLayer } from './layer.ts';
import { createTarScanner } from './tar-scan.ts';

/** Options of {@link findInImage}. */
export interface FindInImageOptions {
  /** Where the image's layers are. */
  readonly blobs: BlobStore;
  /** Which paths are looked for: relative, `/` between segments. */
  readonly matches: (path: string) => boolean;
  /** Gives up the reading. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The paths of an image that match, sorted: files, links and folders that no layer above has taken away. All layers are
 * read, which takes as long as unpacking them.
 *
 * @throws {@link OciError} what `readLayer` throws, `SP_OCI_DOCUMENT`
 * @example
 * const shells = await findInImage(base.image, { blobs: base.blobs, matches: (path) => path === 'bin/sh' });
 */
export async function findInImage(image: OciImage, options: FindInImageOptions): Promise<readonly string[]> {
  const { blobs, matches, signal } = options;
  const found = new Set<string>();
  for (const layer of image.layers) {
    const here = new Set<string>();
    const scanner = createTarScanner(`layer ${layer.digest}`, (record) => {
      const path = record.path.replace(/^(?:\.?\/)+|\/+$/g, '');
      const slash = path.lastIndexOf('/') + 1;
      const name = path.slice(slash);
      // A whiteout takes away what the layers below have, also everything in a folder.
      if (name === '.wh..wh..opq') removeBelow(found, path.slice(0, slash));
      else if (name.startsWith('.wh.')) {
        const gone = path.slice(0, slash) + name.slice('.wh.'.length);
        found.delete(gone);
        removeBelow(found, `${gone}/`);
      } else if (matches(path)) here.add(path);
    });
    for await (const piece of readLayer(blobs, layer)) {
      signal?.throwIfAborted();
      scanner.push(piece);
    }
    scanner.end();
    for (const path of here) found.add(path);
  }
  return Array.from(found).toSorted();
}

function removeBelow(paths: Set<string>, folder: string): void {
  for (const path of paths) if (path.startsWith(folder)) paths.delete(path);
}
