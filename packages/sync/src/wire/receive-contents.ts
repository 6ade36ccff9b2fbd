import type { FileFacts } from '../file-facts.ts';
import type { Limits } from '../limits.ts';
import { isSyncError, SyncError, systemCode } from '../sync-error.ts';
import type { ContentStore } from '../tree/content-store.ts';
import { sha256 } from '../tree/hash-file.ts';
import { unpackBlocks } from './block-stream.ts';
import { decompressed } from './compressed-stream.ts';
import { type ContentFrame, readFrames } from './frames.ts';
import { blockStreamType } from './messages.ts';

/** What a stream of contents is read into. */
export interface ReceiveOptions {
  readonly contents: Pick<ContentStore, 'put' | 'open' | 'received' | 'drop'>;
  readonly limits: Limits;
  /** Media type of the stream. */
  readonly type: string | undefined;
  /** Says what may come, once the header is known. */
  readonly onHeader: (header: unknown) => ReadonlyMap<string, Pick<FileFacts, 'size'>>;
  /** Called with the bytes of each content that is here. */
  readonly onReceived?: ((bytes: number) => void) | undefined;
}

/**
 * Stages the contents of a compressed stream of frames. What was announced and nothing else; each is verified.
 *
 * @returns the hashes of contents that came, and of those that the other side has no more
 * @throws {@link SyncError} `SP_SYNC_DAMAGED`, `SP_SYNC_TOO_LARGE`; what came before stays for another attempt
 */
export async function receiveContents(
  source: AsyncIterable<Uint8Array>,
  { contents, limits, type, onHeader, onReceived }: ReceiveOptions,
): Promise<{ readonly received: ReadonlySet<string>; readonly gone: ReadonlySet<string> }> {
  const gone = new Set<string>();
  const received = new Set<string>();
  let expected: ReadonlyMap<string, Pick<FileFacts, 'size'>> = new Map();
  let total = 0;
  const put = (content: Uint8Array, frame: ContentFrame | undefined): void => {
    const hash = sha256(content);
    if (frame !== undefined && frame.hash !== hash) throw damaged(`content ${frame.hash} is not what was announced`);
    check({ hash, size: content.byteLength });
    contents.put(hash, content);
    received.add(hash);
  };
  const check = ({ hash, size, offset = 0, gone: isGone }: ContentFrame): void => {
    if (expected.get(hash)?.size !== size) throw damaged('a content came that nobody announced');
    if (isGone !== true) total += size - offset;
    if (size > limits.maxFileBytes || total > limits.maxBytes) {
      throw new SyncError('SP_SYNC_TOO_LARGE', `Cannot sync: more than ${limits.maxBytes} bytes came`);
    }
  };
  try {
    await readFrames(type === blockStreamType ? unpackBlocks(source) : decompressedAll(source), {
      onHeader(header) {
        expected = onHeader(header);
      },
      onContent(content, frame) {
        if (frame?.gone !== true) put(content, frame);
        else {
          check(frame);
          gone.add(frame.hash);
        }
        onReceived?.(content.byteLength);
      },
      async onLarge(frame) {
        check(frame);
        const { hash, offset = 0 } = frame;
        let incoming = await contents.open(frame);
        if (contents.received(hash) !== offset) {
          await incoming.leave();
          contents.drop(hash);
          if (offset > 0) throw damaged('a content goes on at another place');
          // It begins anew, and what an earlier connection left of it is in the way.
          incoming = await contents.open(frame);
        }
        return {
          ...incoming,
          write: async (piece) => {
            await incoming.write(piece);
            onReceived?.(piece.byteLength);
          },
        };
      },
    });
  } catch (error) {
    if (!isSyncError(error) && /^(?:Z_|ERR_)/.test(systemCode(error) ?? ''))
      throw damaged('it is not compressed as it should');
    throw error;
  }
  return { received, gone };
}

async function* decompressedAll(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = decompressed(source);
  try {
    for await (const piece of pieces) yield piece as Uint8Array;
  } finally {
    pieces.destroy();
  }
}

function damaged(why: string): SyncError {
  return new SyncError('SP_SYNC_DAMAGED', `Stream of files is damaged: ${why}`, { retryable: true });
}
