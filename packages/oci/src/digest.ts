import { createHash } from 'node:crypto';

/** The address of content: `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = `sha256:${string}`;

/** The digest of bytes in memory. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Whether `value` is a well-formed {@link Digest}. Other algorithms are not supported. */
export function isDigest(value: string): value is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(value);
}

/** Computes a digest over content that arrives in pieces. */
export interface Digester {
  /** Bytes seen so far. */
  readonly size: number;
  update(bytes: Uint8Array): void;
  /** The digest of everything seen so far; more may follow. */
  digest(): Digest;
}

export function createDigester(): Digester {
  const hash = createHash('sha256');
  let size = 0;
  return {
    get size() {
      return size;
    },
    update(bytes) {
      hash.update(bytes);
      size += bytes.byteLength;
    },
    digest: () => `sha256:${hash.copy().digest('hex')}`,
  };
}

/** The hexadecimal part of a digest: the name of its file in a content-addressed folder. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** The digest of everything that a stream gives. */
export async function digestOfStream(source: AsyncIterable<Uint8Array>): Promise<Digest> {
  const digester = createDigester();
  for await (const chunk of source) digester.update(chunk);
  return digester.digest();
}
