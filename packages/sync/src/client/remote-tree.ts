import type { FileChange, FileFacts, Manifest } from '../file-facts.ts';
import type { ContentStore } from '../tree/content-store.ts';
import type { SkippedFile } from '../tree/scan-tree.ts';
import type { ContentToSend } from '../wire/send-contents.ts';

/** The tenant's tree as it is now. */
export interface RemoteFiles {
  /** Its hash. */
  readonly tree: string;
  readonly files: Map<string, FileFacts>;
  readonly skipped: readonly SkippedFile[];
  /** Whether it is not the tree that was known. */
  readonly changed: boolean;
}

/** What was done to the tenant's tree. */
export interface RemoteApplied {
  /** Paths and what they are now. */
  readonly changes: ReadonlyMap<string, FileFacts | undefined>;
  /** Paths that were not changed after all. */
  readonly left: readonly string[];
  /** The hash of the tree afterwards, when the tenant said it. */
  readonly tree?: string | undefined;
}

/** A tenant, whatever it speaks. */
export interface RemoteTree {
  readonly protocol: 'manifest' | 'tarball';
  /** Why a path cannot be sent there; `undefined` when it can. */
  refusal(change: FileChange): string | undefined;
  /** Brings contents here. */
  fetch(files: readonly FileFacts[], contents: ContentStore): Promise<void>;
  /** Makes changes; contents are read from `sourceOf`. Safe to repeat with the same `id`. */
  apply(
    changes: readonly FileChange[],
    options: {
      readonly id: string;
      /** The tree that `before` of the changes is of. */
      readonly tree: string;
      /** Hashes that the tenant has. */
      readonly has: ReadonlySet<string>;
      readonly sourceOf: (change: FileChange) => Pick<ContentToSend, 'file' | 'isSame'> | undefined;
      readonly contents: ContentStore;
      /** Nothing is changed before this. */
      readonly recorded: Promise<void>;
    },
  ): Promise<RemoteApplied>;
  /** Undoes changes; `undefined` when the tenant knows nothing of them. */
  undo(request: {
    readonly id: string;
    readonly of: string;
    /** What to do where the tenant cannot do it by itself. */
    readonly changes: readonly FileChange[];
    readonly contents: ContentStore;
  }): Promise<RemoteApplied | undefined>;
}

/** What is known of the tenant's tree. */
export interface KnownRemote {
  readonly tree: string;
  readonly files: Manifest;
}
