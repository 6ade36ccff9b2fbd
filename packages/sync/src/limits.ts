/** How much may travel; more is refused before it is read. */
export interface SyncLimits {
  /** Files of a tree. @defaultValue 100 000 */
  readonly maxFiles?: number | undefined;
  /** Bytes of one file. @defaultValue 512 MiB */
  readonly maxFileBytes?: number | undefined;
  /** Bytes of all files that travel at once. @defaultValue 4 GiB */
  readonly maxBytes?: number | undefined;
}

export interface Limits {
  readonly maxFiles: number;
  readonly maxFileBytes: number;
  readonly maxBytes: number;
}

export function withDefaults(limits: SyncLimits = {}): Limits {
  const { maxFiles = 100_000, maxFileBytes = 512 * 1024 ** 2, maxBytes = 4 * 1024 ** 3 } = limits;
  return { maxFiles, maxFileBytes, maxBytes };
}
