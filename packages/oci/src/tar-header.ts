/** What a tar header says; times are always the epoch. */
export interface TarEntry {
  /** `0` file, `2` symbolic link, `5` directory. */
  readonly typeflag: '0' | '2' | '5';
  /** Path; a directory's ends in `/`. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Target of a symbolic link, else empty. */
  readonly target: string;
}

export const tarBlock = 512;
const maximumSize = 0o77777777777;
const maximumOwner = 0o7777777;

/** The header blocks of one entry: ustar, with a pax header before it for what ustar cannot say. */
export function tarHeader(entry: TarEntry): Buffer {
  const split = splitPath(entry.path);
  const records = [
    ...(split === undefined ? [paxRecord('path', entry.path)] : []),
    ...(fits(entry.target, 100) ? [] : [paxRecord('linkpath', entry.target)]),
    ...(entry.size > maximumSize ? [paxRecord('size', String(entry.size))] : []),
    ...(entry.uid > maximumOwner ? [paxRecord('uid', String(entry.uid))] : []),
    ...(entry.gid > maximumOwner ? [paxRecord('gid', String(entry.gid))] : []),
  ];
  const { prefix, name } = split ?? { prefix: '', name: approximate(entry.path) };
  const block = headerBlock(
    {
      ...entry,
      path: name,
      size: entry.size > maximumSize ? 0 : entry.size,
      uid: entry.uid > maximumOwner ? 0 : entry.uid,
      gid: entry.gid > maximumOwner ? 0 : entry.gid,
      target: fits(entry.target, 100) ? entry.target : approximate(entry.target),
    },
    prefix,
  );
  if (records.length === 0) return block;
  const body = Buffer.concat(records);
  const pax = { path: 'PaxHeaders/entry', mode: 0o644, uid: 0, gid: 0, size: body.length, target: '', typeflag: 'x' };
  return Buffer.concat([headerBlock(pax, ''), body, tarPadding(body.length), block]);
}

/** The zeros after `size` bytes of content up to the next block. */
function tarPadding(size: number): Buffer {
  return Buffer.alloc((tarBlock - (size % tarBlock)) % tarBlock);
}

function headerBlock(entry: Omit<TarEntry, 'typeflag'> & { readonly typeflag: string }, prefix: string): Buffer {
  const block = Buffer.alloc(tarBlock);
  block.write(entry.path, 0, 100, 'latin1');
  block.write(octal(entry.mode, 8), 100, 'latin1');
  block.write(octal(entry.uid, 8), 108, 'latin1');
  block.write(octal(entry.gid, 8), 116, 'latin1');
  block.write(octal(entry.size, 12), 124, 'latin1');
  block.write(octal(0, 12), 136, 'latin1');
  // The checksum is computed with spaces in its own place.
  block.write(' '.repeat(8), 148, 'latin1');
  block.write(entry.typeflag, 156, 'latin1');
  block.write(entry.target, 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345, 155, 'latin1');
  let sum = 0;
  // By index: an iterator over half a kilobyte of thousands of headers is felt.
  for (let index = 0; index < tarBlock; index += 1) sum += block[index] ?? 0;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

/** `<length> <key>=<value>\n`, where the length counts its own digits too. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

/** How ustar's two name fields hold a path, or `undefined` when they cannot. */
function splitPath(path: string): { prefix: string; name: string } | undefined {
  if (fits(path, 100)) return { prefix: '', name: path };
  if (!fits(path, 256)) return undefined;
  // The first `/` that leaves at most 100 bytes for the name; a directory's last `/` cannot be the one.
  const cut = path.indexOf('/', path.length - 101);
  if (cut <= 0 || cut > 155 || cut >= path.length - 1) return undefined;
  return { prefix: path.slice(0, cut), name: path.slice(cut + 1) };
}

function fits(text: string, bytes: number): boolean {
  return text.length <= bytes && /^[\x20-\x7e]*$/.test(text);
}

/** What readers without pax support see; the real value is in the pax header. */
function approximate(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, '_').slice(0, 100);
}
