/** One entry of a hand-made archive: anything goes. */
export interface RawEntry {
  readonly path: string;
  readonly typeflag?: string;
  readonly target?: string;
  readonly content?: Uint8Array;
  /** What the header says; @defaultValue the truth */
  readonly size?: number;
}

/** A tar archive that checks nothing. */
export function makeTar(entries: readonly RawEntry[], { end = true } = {}): Buffer {
  const parts: Buffer[] = [];
  for (const { path, typeflag = '0', target = '', content = new Uint8Array(0), size = content.byteLength } of entries) {
    const block = Buffer.alloc(512);
    block.write(path, 0, 100);
    block.write('0000644\0', 100);
    block.write('0000000\0', 108);
    block.write('0000000\0', 116);
    block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    block.write('00000000000\0', 136);
    block.write('        ', 148);
    block.write(typeflag, 156);
    block.write(target, 157, 100);
    block.write('ustar\x0000', 257);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    parts.push(block, Buffer.from(content), Buffer.alloc((512 - (content.byteLength % 512)) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(end ? 1024 : 0)]);
}

/** A pax header for the entry that follows. */
export function pax(records: Readonly<Record<string, string>>): RawEntry {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`);
    let length = rest + String(rest).length;
    length = rest + String(length).length;
    return `${length} ${key}=${value}\n`;
  });
  return { path: 'PaxHeaders/x', typeflag: 'x', content: Buffer.from(lines.join('')) };
}
