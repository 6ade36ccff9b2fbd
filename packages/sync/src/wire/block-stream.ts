import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import { SyncError } from '../sync-error.ts';

/** Bytes of a block before it is compressed; a reader takes no larger ones. */
export const blockBytes = 512 * 1024;

/** A connection that takes so many bytes in a second is faster than two computers compress and decompress. */
const fastEnough = 40e6;

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

/**
 * Blocks as a stream: for each its length, the length of what follows, and it: compressed, or as it is when the lengths are
 * the same. They are compressed as long as that is faster, which is seen by how fast the connection takes them: between
 * computers far apart always, between two processes of one computer never.
 */
export async function* packBlocks(blocks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  let rate = 0;
  const pack = async (block: Buffer): Promise<Buffer[]> => {
    const params = { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 19 };
    const packed = rate > fastEnough ? block : await compress(block, { params });
    // What does not shrink goes as it is.
    const body = packed.length < block.length ? packed : block;
    const header = Buffer.allocUnsafe(8);
    header.writeUInt32BE(block.length, 0);
    header.writeUInt32BE(body.length, 4);
    return [header, body];
  };
  const iterator = blocks[Symbol.iterator]();
  const next = (): Promise<Buffer[]> | undefined => {
    const { value, done } = iterator.next();
    return done === true ? undefined : pack(value);
  };
  try {
    let waiting = next();
    while (waiting !== undefined) {
      const [header, body] = (await waiting) as [Buffer, Buffer];
      // The next one is read and compressed while this one is on its way.
      waiting = next();
      waiting?.catch(() => {});
      yield header;
      const started = performance.now();
      yield body;
      const took = Math.max(performance.now() - started, 0.01);
      const measured = (body.length / took) * 1000;
      rate = rate === 0 ? measured : (rate + measured) / 2;
    }
  } finally {
    iterator.return?.();
  }
}

/**
 * What the blocks hold.
 *
 * @throws {@link SyncError} `SP_SYNC_DAMAGED`
 */
export async function* unpackBlocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let header: Uint8Array = new Uint8Array(0);
  let length = 0;
  let left = 0;
  let parts: Uint8Array[] = [];
  for await (const chunk of source) {
    let rest = chunk;
    while (rest.byteLength > 0) {
      if (left === 0) {
        const missing = 8 - header.byteLength;
        header = Buffer.concat([header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (header.byteLength < 8) continue;
        const lengths = Buffer.from(header);
        length = lengths.readUInt32BE(0);
        left = lengths.readUInt32BE(4);
        header = new Uint8Array(0);
        parts = [];
        if (length > blockBytes || left > length || left === 0) throw damaged('a block is too long');
        continue;
      }
      const piece = rest.subarray(0, left);
      rest = rest.subarray(piece.byteLength);
      const isWhole = parts.length === 0 && left === length;
      left -= piece.byteLength;
      if (isWhole && length > 0) {
        // As it is: passed on as it comes.
        yield piece;
        length = left;
        continue;
      }
      parts.push(piece);
      if (left === 0) yield await unpacked(Buffer.concat(parts), length);
    }
  }
  if (left > 0 || header.byteLength > 0) throw damaged('it ends in the middle');
}

async function unpacked(block: Buffer, length: number): Promise<Buffer> {
  const content = await decompress(block, { maxOutputLength: length }).catch(() => undefined);
  if (content?.length !== length) throw damaged('a block is not what it says');
  return content;
}

function damaged(why: string): SyncError {
  return new SyncError('SP_SYNC_DAMAGED', `Stream of files is damaged: ${why}`, { retryable: true });
}
