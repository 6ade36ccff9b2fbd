import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { isMissing } from '../sync-error.ts';
import { sha256 } from '../tree/hash-file.ts';
import { compressed, compressedWell } from './compressed-stream.ts';
import { type ContentFrame, encodeFrame, endFrame, smallContent } from './frames.ts';

/** A content to send, and where it should be. */
export interface ContentToSend {
  readonly hash: string;
  readonly size: number;
  /** `undefined` when it is nowhere. */
  readonly file: string | undefined;
  /** Bytes that the receiver has. */
  readonly offset?: number | undefined;
}

/** Up to here it is worth to compress well: it takes no time that anybody notices. */
const wellCompressed = 8 * 1024 * 1024;

/** A header and contents as a compressed stream of frames; small ones as one piece of memory. */
export function packFrames(header: unknown, contents: readonly ContentToSend[]): Buffer | Readable {
  const total = contents.reduce((sum, { size, offset = 0 }) => sum + size - offset, 0);
  if (total > wellCompressed) {
    return compressed(frames(header, contents));
  }
  const parts: Buffer[] = [encodeFrame(header)];
  for (const content of contents) parts.push(...framesOf(content));
  parts.push(endFrame);
  return compressedWell(Buffer.concat(parts));
}

async function* frames(header: unknown, contents: readonly ContentToSend[]): AsyncGenerator<Buffer> {
  yield encodeFrame(header);
  // Small frames together: a step of the stream costs more than a copy.
  let waiting: Buffer[] = [];
  let bytes = 0;
  for (const content of contents) {
    for (const frame of framesOf(content)) {
      waiting.push(frame);
      bytes += frame.length;
      if (bytes < 256 * 1024) continue;
      yield Buffer.concat(waiting);
      waiting = [];
      bytes = 0;
      await setImmediate();
    }
  }
  yield Buffer.concat([...waiting, endFrame]);
}

/** The frame of a content, and the content, which is only as it was announced when its hash still is. */
function* framesOf({ hash, size, file, offset = 0 }: ContentToSend): Generator<Buffer> {
  const gone: ContentFrame = { hash, size, gone: true };
  if (size <= smallContent && offset === 0) {
    const content = file === undefined ? undefined : readWhole(file);
    if (content === undefined || content.length !== size || sha256(content) !== hash) {
      yield encodeFrame(gone);
      return;
    }
    yield encodeFrame({ hash, size });
    yield content;
    return;
  }
  const descriptor = file === undefined ? undefined : openOrNothing(file);
  if (descriptor === undefined) {
    yield encodeFrame(gone);
    return;
  }
  try {
    if (fstatSync(descriptor).size !== size) {
      yield encodeFrame(gone);
      return;
    }
    yield encodeFrame({ hash, size, ...(offset === 0 ? {} : { offset }) });
    for (let at = offset; at < size; ) {
      const piece = Buffer.allocUnsafe(Math.min(256 * 1024, size - at));
      const read = readSync(descriptor, piece, 0, piece.length, at);
      // Cut while it is read: the stream ends in the middle, and the receiver asks again.
      if (read === 0) return;
      yield piece.subarray(0, read);
      at += read;
    }
  } finally {
    closeSync(descriptor);
  }
}

function readWhole(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function openOrNothing(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
