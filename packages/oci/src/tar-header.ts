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
  const start = `${filled(entry.path, 100)}${octal(entry.mode, 7)}\0${octal(entry.uid, 7)}\0${octal(entry.gid, 7)}\0`;
  const middle = `${octal(entry.size, 11)}\0${octal(0, 11)}\0`;
  const end = `${entry.typeflag}${filled(entry.target, 100)}ustar\x0000${'\0'.repeat(80)}${filled(prefix, 167)}`;
  const block = Buffer.allocUnsafe(tarBlock);
  // All of it in one step: a loop over the characters of thousands of headers makes the engine compile more than it saves.
  block.write(`${start}${middle}        ${end}`, 'latin1');
  block.write(octal(sumOf(block), 6), checksumOffset, 'latin1');
  block[checksumOffset + 6] = 0;
  return block;
}

const checksumOffset = 148;

/** The checksum, for which its own place has to hold spaces. */
function sumOf(block: Buffer): number {
  let sum = 0;
  for (let index = 0; index < tarBlock; index += 1) sum += block[index] ?? 0;
  return sum;
}

function filled(text: string, length: number): string {
  return text.padEnd(length, '\0');
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
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
