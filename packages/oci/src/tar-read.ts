import { tarBlock } from './tar-header.ts';
import { malformed } from './wire.ts';

/** One entry as an archive describes it: nothing is checked but that it can be read. */
export interface TarRecord {
  /** As in the header: `0` file, `1` hard link, `2` symbolic link, `3` and `4` devices, `5` directory, `6` pipe. */
  readonly typeflag: string;
  readonly path: string;
  /** Target of a link, else empty. */
  readonly target: string;
  /** Bytes of content after the header, without padding. */
  readonly size: number;
}

/** The longest name or list of pax records that is believed. */
const maximumExtension = 1024 * 1024;

/** Makes records of headers. Names that do not fit into a header come before it, as content of headers of their own. */
export interface TarRecordReader {
  /** A block of 512 bytes: `undefined` for one of zeros, else its record; what `isExtension` has to be followed by {@link extend}. */
  read(block: Uint8Array): (TarRecord & { readonly isExtension: boolean }) | undefined;
  /** Takes the content of an extension. */
  extend(record: TarRecord, content: Uint8Array): void;
}

/** @param what names the archive in errors */
export function createTarRecordReader(what: string): TarRecordReader {
  let next = new Map<string, string>();
  const everywhere = new Map<string, string>();
  return {
    read(block) {
      if (block.every((byte) => byte === 0)) return undefined;
      checkSum(block, what);
      const typeflag = String.fromCharCode(block[156] ?? 0).replace('\0', '0');
      const size = numberAt(block, 124, what);
      if (/^[xgLK]$/.test(typeflag)) {
        if (size > maximumExtension) throw malformed(what, 'a name is too long');
        return { typeflag, path: '', target: '', size, isExtension: true };
      }
      const known = new Map([...everywhere, ...next]);
      next = new Map();
      const isUstar = textAt(block, 257, 6) === 'ustar';
      const prefix = isUstar ? textAt(block, 345, 155) : '';
      const name = textAt(block, 0, 100);
      const content = Number(known.get('size') ?? size);
      if (!Number.isSafeInteger(content) || content < 0) throw malformed(what, 'a size is not a number');
      return {
        typeflag,
        path: known.get('path') ?? (prefix === '' ? name : `${prefix}/${name}`),
        target: known.get('linkpath') ?? textAt(block, 157, 100),
        // Links and folders have no content, whatever their size says.
        size: /^[1-6]$/.test(typeflag) ? 0 : content,
        isExtension: false,
      };
    },
    extend({ typeflag }, content) {
      if (typeflag === 'L' || typeflag === 'K') {
        next.set(typeflag === 'L' ? 'path' : 'linkpath', Buffer.from(content).toString().replace(/\0.*$/s, ''));
        return;
      }
      for (const [key, value] of paxRecords(Buffer.from(content), what))
        (typeflag === 'g' ? everywhere : next).set(key, value);
    },
  };
}

/** How many bytes a record's content takes, with padding. */
export function paddedSize(size: number): number {
  return Math.ceil(size / tarBlock) * tarBlock;
}

function* paxRecords(content: Buffer, what: string): Generator<[string, string]> {
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(' ', at);
    const length = Number(content.toString('latin1', at, Math.max(space, at)));
    if (space === -1 || !Number.isSafeInteger(length) || length < space - at + 3 || at + length > content.length) {
      throw malformed(what, 'its pax records are damaged');
    }
    const line = content.toString('utf8', space + 1, at + length - 1);
    const equals = line.indexOf('=');
    if (equals === -1) throw malformed(what, 'its pax records are damaged');
    yield [line.slice(0, equals), line.slice(equals + 1)];
    at += length;
  }
}

function checkSum(block: Uint8Array, what: string): void {
  let sum = 8 * 0x20;
  for (let index = 0; index < tarBlock; index += 1) if (index < 148 || index >= 156) sum += block[index] ?? 0;
  if (sum !== numberAt(block, 148, what, 8)) throw malformed(what, 'it is not a tar archive');
}

/** An octal number or, beyond what fits, a binary one. */
function numberAt(block: Uint8Array, offset: number, what: string, length = 12): number {
  const field = Buffer.from(block.buffer, block.byteOffset + offset, length);
  let value = 0;
  if (((field[0] ?? 0) & 0x80) !== 0) {
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    if ((field[0] ?? 0) !== 0x80) value = Number.NaN;
  } else {
    const digits = field
      .toString('latin1')
      .replace(/[\0 ]+$/, '')
      .trimStart();
    value = /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN;
  }
  if (!Number.isSafeInteger(value)) throw malformed(what, 'it is not a tar archive');
  return value;
}

function textAt(block: Uint8Array, offset: number, length: number): string {
  const field = Buffer.from(block.buffer, block.byteOffset + offset, length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end);
}
