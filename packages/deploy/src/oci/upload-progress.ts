import type { Digest, PushEvent } from '@sp/oci';
import type { BuilderRunOptions } from '../image-builder.ts';

/** Adds up what is sent over all blobs: `done` and `total` are bytes, `total` grows while blobs are looked at. */
export function createUploadProgress(onProgress: BuilderRunOptions['onProgress']): (event: PushEvent) => void {
  const sent = new Map<Digest, number>();
  const sizes = new Map<Digest, number>();
  return ({ type, digest, size, sent: now }) => {
    if (type === 'blob-exists') {
      onProgress?.({ message: `${digest} is there already` });
      return;
    }
    sizes.set(digest, size);
    // A repeated upload counts from 0 again; the sum of a later event corrects it.
    sent.set(digest, type === 'blob-completed' ? size : now);
    onProgress?.({
      message: `${type === 'blob-completed' ? 'sent' : 'sending'} ${digest}`,
      done: sum(sent),
      total: sum(sizes),
    });
  };
}

function sum(values: ReadonlyMap<Digest, number>): number {
  return Array.from(values.values()).reduce((total, value) => total + value, 0);
}
