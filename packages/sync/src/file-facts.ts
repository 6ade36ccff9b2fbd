/** What a file is, wherever it is. Two files with equal facts are the same for sync. */
export interface FileFacts {
  /** Lower-case hexadecimal SHA-256 of the content. */
  readonly hash: string;
  /** In bytes. */
  readonly size: number;
  /** `0o755` for what can be executed, `0o644` for everything else: other bits say more about a computer than about a file. */
  readonly mode: number;
}

/** The files of a tree by their paths: relative, `/` between segments. */
export type Manifest = ReadonlyMap<string, FileFacts>;

/** A change of one path: `undefined` is no file. */
export interface FileChange {
  /** Relative to the root, `/` between segments. */
  readonly path: string;
  /** What is there until the change; `undefined` for no file. */
  readonly before?: FileFacts | undefined;
  /** What is there afterwards; `undefined` for no file. */
  readonly after?: FileFacts | undefined;
}

export function isSameFile(a: FileFacts | undefined, b: FileFacts | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.hash === b.hash && a.mode === b.mode);
}

export function normalMode(mode: number): number {
  return (mode & 0o100) === 0 ? 0o644 : 0o755;
}

export function factsOf({ hash, size, mode }: FileFacts): FileFacts {
  return { hash, size, mode };
}
