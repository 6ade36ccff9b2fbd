import { tarBlock } from './tar-header.ts';
import { createTarRecordReader, paddedSize, type TarRecord } from './tar-read.ts';
import { malformed } from './wire.ts';

/** Finds the entries of a tar stream that comes in pieces of any length. */
export interface TarScanner {
  /** Calls back for every entry whose header ends in this piece. */
  push(piece: Uint8Array): void;
  /** @throws {@link OciError} `SP_OCI_DOCUMENT` when the stream has not ended where an entry does */
  end(): void;
}

/** @param what names the archive in errors */
export function createTarScanner(what: string, onEntry: (record: TarRecord) => void): TarScanner {
  const reader = createTarRecordReader(what);
  let header = Buffer.alloc(0);
  let extension: { readonly record: TarRecord; readonly parts: Uint8Array[] } | undefined;
  let content = 0;
  let ended = false;
  return {
    push(piece) {
      for (let at = 0; at < piece.byteLength && !ended; ) {
        if (content > 0) {
          const part = piece.subarray(at, at + content);
          extension?.parts.push(part);
          content -= part.byteLength;
          at += part.byteLength;
        } else {
          const part = piece.subarray(at, at + tarBlock - header.length);
          header = Buffer.concat([header, part]);
          at += part.byteLength;
          if (header.length < tarBlock) break;
          if (extension !== undefined) {
            reader.extend(extension.record, Buffer.concat(extension.parts).subarray(0, extension.record.size));
          }
          const record = reader.read(header);
          header = Buffer.alloc(0);
          ended = record === undefined;
          if (record === undefined) break;
          if (!record.isExtension) onEntry(record);
          content = paddedSize(record.size);
          extension = record.isExtension ? { record, parts: [] } : undefined;
        }
      }
    },
    end() {
      if (!ended && (content > 0 || header.length > 0)) throw malformed(what, 'it ends in the middle');
    },
  };
}
