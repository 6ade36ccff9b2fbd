import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { Readable } from 'node:stream';
import { isMissing } from '../sync-error.ts';
import { sha256 } from '../tree/hash-file.ts';
import { blockBytes, packBlocks } from './block-stream.ts';
import { compressedWell } from './compressed-stream.ts';
import { type ContentFrame, encodeFrame, endFrame, maxFrameBytes, smallContent } from './frames.ts';
import { blockStreamType, streamType } from './messages.ts';

/** A content to send, and where it should be. */
export interface ContentToSend {
  readonly hash: string;
  readonly size: number;
  /** `undefined` when it is nowhere. */
  readonly file: string | undefined;
  /** Bytes that the receiver has. */
  readonly offset?: number | undefined;
  /** Whether a file is the one whose hash is known, by its stat; without it the hash is made once more. */
  readonly isSame?: ((stats: Stats) => boolean) | undefined;
}

/** A packed stream, and its media type. */
export interface PackedFrames {
  readonly body: Buffer | Readable;
  readonly type: string;
}

/** Up to here it is worth to compress well: it takes no time that anybody notices. */
const wellCompressed = 8 * 1024 * 1024;

/** A header and contents as a compressed stream of frames; small ones as one piece of memory. */
export function packFrames(header: unknown, contents: readonly ContentToSend[]): PackedFrames {
  const total = contents.reduce((sum, { size, offset = 0 }) => sum + size - offset, 0);
  const blocks = framesInBlocks(header, contents);
  if (total <= wellCompressed) return { type: streamType, body: compressedWell(Buffer.concat(Array.from(blocks))) };
  return { type: blockStreamType, body: Readable.from(packBlocks(blocks), { objectMode: false }) };
}

/**
 * The stream, in blocks that are filled as files are read: small contents one after the other, with one frame before them,
 * for a piece of memory and a frame for each of them would cost more than to read it.
 */
function* framesInBlocks(header: unknown, contents: readonly ContentToSend[]): Generator<Buffer> {
  let block: Buffer | undefined;
  let used = maxFrameBytes;
  let sizes: number[] = [];
  function* small(): Generator<Buffer> {
    if (block === undefined || sizes.length === 0) return;
    const frame = encodeFrame({ sizes });
    const start = maxFrameBytes - frame.length;
    frame.copy(block, start);
    yield block.subarray(start, used);
    block = undefined;
    used = maxFrameBytes;
    sizes = [];
  }
  yield* inBlocks(encodeFrame(header));
  for (const content of contents) {
    const { hash, size, offset = 0 } = content;
    const isSmall = offset === 0 && size <= blockBytes - maxFrameBytes;
    if (!isSmall || used + size > blockBytes || sizes.length === maxSizes) yield* small();
    if (!isSmall) for (const piece of framesOf(content)) yield* inBlocks(piece);
    else {
      block ??= Buffer.allocUnsafeSlow(blockBytes);
      if (readContent(content, block, used)) {
        used += size;
        sizes.push(size);
      } else yield encodeFrame({ hash, size, gone: true });
    }
  }
  yield* small();
  yield endFrame;
}

/** Each takes at most seven digits and a comma. */
const maxSizes = Math.floor(maxFrameBytes / 8) - 4;

function* inBlocks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += blockBytes) yield bytes.subarray(at, at + blockBytes);
}

/** Reads a content to a place in memory: whether it is still the one that is to be sent. */
function readContent({ hash, size, file, isSame }: ContentToSend, target: Buffer, at: number): boolean {
  const descriptor = file === undefined ? undefined : openOrNothing(file);
  if (descriptor === undefined) return false;
  try {
    let read = 0;
    while (read < size) {
      const count = readSync(descriptor, target, at + read, size - read, null);
      if (count === 0) return false;
      read += count;
    }
    const stats = fstatSync(descriptor);
    if (stats.size !== size) return false;
    return isSame?.(stats) === true || sha256(target.subarray(at, at + size)) === hash;
  } finally {
    closeSync(descriptor);
  }
}

/** The frame of a content, and the content in pieces, which is only as it was announced when its hash still is. */
function* framesOf(content: ContentToSend): Generator<Buffer> {
  const { hash, size, file, offset = 0 } = content;
  const gone: ContentFrame = { hash, size, gone: true };
  if (size <= smallContent && offset === 0) {
    const whole = Buffer.allocUnsafe(size);
    if (!readContent(content, whole, 0)) yield encodeFrame(gone);
    else {
      yield encodeFrame({ hash, size });
      yield whole;
    }
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
      const piece = Buffer.allocUnsafe(Math.min(blockBytes, size - at));
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

function openOrNothing(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
