import type { FileChange, FileFacts } from '../file-facts.ts';

/** Which way files go: from the project to the tenant, from the tenant to the project, or each where it is missing. */
export type SyncDirection = 'up' | 'down' | 'both';

/** What becomes of a file that changed on both sides: the project's, the tenant's, both under two names, or nothing yet. */
export type SyncResolution = 'ours' | 'theirs' | 'keep-both' | 'leave';

/** A file that is not the same on the two sides, and that neither side alone changed. */
export interface SyncConflict {
  /** Relative to the root, `/` between segments. */
  readonly path: string;
  /** What both agreed on last; `undefined` for none. */
  readonly base?: FileFacts | undefined;
  /** The project's; `undefined` when it has none. */
  readonly local?: FileFacts | undefined;
  /** The tenant's; `undefined` when it has none. */
  readonly remote?: FileFacts | undefined;
  /** What becomes of it. */
  readonly resolution: SyncResolution;
  /** With `keep-both`: where the tenant's version goes. */
  readonly twin?: string | undefined;
}

/** Something that differs, and is left as it is. */
export interface LeftFile {
  /** Relative to the root, `/` between segments. */
  readonly path: string;
  /** On which side it would have been changed, or was not looked at. */
  readonly side: 'local' | 'remote';
  /** `deletion`: nothing is deleted without being asked to; others in words. */
  readonly reason: string;
}

/** Exactly what {@link applySync} does. Plain data: it can be printed, stored, and applied later. */
export interface SyncPlan {
  /** Names the sync, on both sides and for ever. */
  readonly id: string;
  /** What the tenant speaks: this package's protocol, or the predecessor's. */
  readonly protocol: 'manifest' | 'tarball';
  /** Which way files go. */
  readonly direction: SyncDirection;
  /** Hash of the tenant's tree that the plan is about. */
  readonly remoteTree: string;
  /** Changes of the tenant's files. */
  readonly up: readonly FileChange[];
  /** Changes of the project's files. */
  readonly down: readonly FileChange[];
  /** All of them, also those that are resolved. */
  readonly conflicts: readonly SyncConflict[];
  /** What differs, and stays as it is. */
  readonly left: readonly LeftFile[];
  /** Bytes of the contents that go up, uncompressed; at most, for what is there already does not travel. */
  readonly bytesUp: number;
  /** The same of what comes down. */
  readonly bytesDown: number;
  /** Files that are the same on both sides. */
  readonly unchanged: number;
}
