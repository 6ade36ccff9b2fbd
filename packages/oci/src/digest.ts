import { createHash } from 'node:crypto';

/** The hash functions that content may be addressed by. Everything that is made here is addressed by sha256. */
export type DigestAlgorithm = 'sha256' | 'sha512';

/** The address of content: `sha256:` and 64, or `sha512:` and 128, lower-case hexadecimal digits. */
export type Digest = `${DigestAlgorithm}:${string}`;

/** The digest of bytes in memory. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Whether `value` is a well-formed {@link Digest}. Other algorithms than sha256 and sha512 are not supported. */
export function isDigest(value: string): value is Digest {
  return /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(value);
}

/** The hash function of a digest: to compare content with it. */
export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** Computes a digest over content that arrives in pieces. */
export interface Digester {
  /** Bytes seen so far. */
  readonly size: number;
  update(bytes: Uint8Array): void;
  /** The digest of everything seen so far; more may follow. */
  digest(): Digest;
}

export function createDigester(algorithm: DigestAlgorithm = 'sha256'): Digester {
  const hash = createHash(algorithm);
  let size = 0;
  return {
    get size() {
      return size;
    },
    update(bytes) {
      hash.update(bytes);
      size += bytes.byteLength;
    },
    digest: () => `${algorithm}:${hash.copy().digest('hex')}`,
  };
}

/** The hexadecimal part of a digest: the name of its file in a content-addressed folder. Its length tells the algorithm. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** The digest of everything that a stream gives, by the hash function of `like`. */
export async function digestOfStream(source: AsyncIterable<Uint8Array>, like: Digest): Promise<Digest> {
  const digester = createDigester(algorithmOf(like));
  for await (const chunk of source) digester.update(chunk);
  return digester.digest();
}
