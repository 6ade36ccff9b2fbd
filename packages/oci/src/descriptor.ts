import type { Digest } from './digest.ts';

/** What a manifest says about a piece of content: what it is, its address and its length. */
export interface Descriptor {
  /** Media type of the content. */
  readonly mediaType: string;
  /** Address of the content. */
  readonly digest: Digest;
  /** Length in bytes. */
  readonly size: number;
  /** Free-form facts about the content. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The descriptor with fixed key order and sorted annotations, so that the same facts are the same bytes. */
export function descriptorToWire(descriptor: Descriptor): Descriptor {
  const { mediaType, digest, size, annotations } = descriptor;
  return { mediaType, digest, size, ...(annotations === undefined ? {} : { annotations: sortedRecord(annotations) }) };
}

/** The same record with its keys in code-unit order. */
export function sortedRecord<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
