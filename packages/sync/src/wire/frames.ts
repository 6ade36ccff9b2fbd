import { SyncError } from '../sync-error.ts';

/** What is said of a content before it comes. */
export interface ContentFrame {
  readonly hash: string;
  /** Of the whole content. */
  readonly size: number;
  /** What is left out of its beginning, because it was received before. */
  readonly offset?: number | undefined;
  /** There is no such content any more, and none follows. */
  readonly gone?: boolean | undefined;
}

/** What reads a stream of frames. */
export interface FrameReader {
  /** The first frame: whatever the two sides have to say. */
  onHeader(header: unknown): void | Promise<void>;
  /** A content that is here as a whole; one of many small ones is known by its hash alone, and has no frame. */
  onContent(content: Uint8Array, frame?: ContentFrame): void;
  /** A content that comes in pieces. */
  onLarge(frame: ContentFrame): Promise<{
    write(piece: Uint8Array): Promise<void>;
    finish(): Promise<void>;
    leave(): Promise<void>;
  }>;
}

/** Contents up to here are one piece of memory. */
export const smallContent = 1024 * 1024;

const maxHeaderBytes = 64 * 1024 * 1024;
/** Of a frame; the sizes of many small contents are the longest. */
export const maxFrameBytes: number = 16 * 1024;

/** A frame as bytes: its length, and JSON. A content follows it as it is. */
export function encodeFrame(value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const frame = Buffer.allocUnsafe(4 + json.length);
  frame.writeUInt32BE(json.length, 0);
  json.copy(frame, 4);
  return frame;
}

/** The last frame: without it a stream was cut. */
export const endFrame: Buffer = encodeFrame({ end: true });

/**
 * Reads a stream of frames to its end.
 *
 * @throws {@link SyncError} `SP_SYNC_DAMAGED` when it is malformed or ends early
 */
export async function readFrames(source: AsyncIterable<Uint8Array>, reader: FrameReader): Promise<void> {
  let buffered: Uint8Array = new Uint8Array(0);
  const iterator = source[Symbol.asyncIterator]();
  let large: Awaited<ReturnType<FrameReader['onLarge']>> | undefined;
  const more = async (): Promise<Uint8Array> => {
    const next = await iterator.next();
    if (next.done === true) throw malformed('it ends in the middle');
    return next.value;
  };
  const take = async (bytes: number): Promise<Uint8Array> => {
    if (buffered.byteLength < bytes) {
      const parts = [buffered];
      for (let have = buffered.byteLength; have < bytes; ) {
        const piece = await more();
        parts.push(piece);
        have += piece.byteLength;
      }
      buffered = Buffer.concat(parts);
    }
    const taken = buffered.subarray(0, bytes);
    buffered = buffered.subarray(bytes);
    return taken;
  };
  const json = async (limit: number): Promise<unknown> => {
    const [a = 0, b = 0, c = 0, d = 0] = await take(4);
    const length = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
    if (length > limit) throw malformed('a frame is too long');
    try {
      return JSON.parse(textOf(await take(length)));
    } catch (error) {
      throw error instanceof SyntaxError ? malformed('a frame is no JSON') : error;
    }
  };
  try {
    await reader.onHeader(await json(maxHeaderBytes));
    for (;;) {
      const frame = readContentFrame(await json(maxFrameBytes));
      if (frame === 'end') break;
      if ('sizes' in frame) {
        const contents = await take(frame.sizes.reduce((sum, size) => sum + size, 0));
        let at = 0;
        for (const size of frame.sizes) {
          reader.onContent(contents.subarray(at, at + size));
          at += size;
        }
        continue;
      }
      const { size, offset = 0, gone } = frame;
      let left = gone === true ? 0 : size - offset;
      if (left <= smallContent && offset === 0) {
        reader.onContent(await take(left), frame);
        continue;
      }
      large = await reader.onLarge(frame);
      while (left > 0) {
        const piece = await take(Math.min(left, Math.max(1, buffered.byteLength)));
        await large.write(piece);
        left -= piece.byteLength;
      }
      const finished = large;
      large = undefined;
      await finished.finish();
    }
    // To the end of the transport too, so that a compressed stream's own check is made.
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      if (next.value.byteLength > 0) throw malformed('something follows its end');
    }
    if (buffered.byteLength > 0) throw malformed('something follows its end');
  } finally {
    await large?.leave();
    await iterator.return?.();
  }
}

/** What is said of many small contents before they come, one after the other. */
interface ContentsFrame {
  readonly sizes: readonly number[];
}

function readContentFrame(value: unknown): ContentFrame | ContentsFrame | 'end' {
  if (typeof value !== 'object' || value === null) throw malformed('a frame is no object');
  const { end, sizes, hash, size, offset, gone } = value as Readonly<Record<string, unknown>>;
  if (end === true) return 'end';
  if (Array.isArray(sizes)) {
    const isSound = sizes.every(isCount) && sizes.reduce((sum, one) => sum + one, 0) <= smallContent;
    if (!isSound) throw malformed('a frame announces no contents, or too many');
    return { sizes };
  }
  const isHash = typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash);
  if (!isHash || !isCount(size) || !(offset === undefined || (isCount(offset) && offset <= size))) {
    throw malformed('a frame announces no content');
  }
  return { hash, size, offset, gone: gone === true };
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function malformed(why: string): SyncError {
  return new SyncError('SP_SYNC_DAMAGED', `Stream of files is damaged: ${why}`, { retryable: true });
}
