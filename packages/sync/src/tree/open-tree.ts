import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Limits } from '../limits.ts';
import { storageError, throwIfAborted } from '../sync-error.ts';
import { type ChangeableTree, recoverTree } from './apply-changes.ts';
import { createContentStore } from './content-store.ts';
import { createJournal } from './journal.ts';
import { type ScannedTree, scanTree } from './scan-tree.ts';
import { loadIndex, saveIndex, type TreeIndex } from './tree-index.ts';
import { lockTree } from './tree-lock.ts';

/** A tree that nobody else of this package changes until it is closed. */
export interface OpenTree extends ChangeableTree {
  readonly index: TreeIndex;
  /** Whether something was finished that a killed process began: the index is not as it was. */
  readonly recovered: boolean;
  scan(isIgnored?: (path: string) => boolean): Promise<ScannedTree>;
  /** Says that the index is not as it was read. */
  touch(): void;
  /** Writes down what is known of the files, and lets others go on. */
  close(): Promise<void>;
}

/** Where a tree and what is known of it are. */
export interface TreeOptions {
  readonly root: string;
  readonly stateDirectory: string;
  readonly limits: Limits;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Locks a tree, and finishes what a killed process began.
 *
 * @throws {@link SyncError} `SP_SYNC_LOCKED` when another process has it for longer than `waitMs`, `SP_SYNC_STORAGE`
 */
export async function openTree(
  options: TreeOptions & { readonly waitMs?: number; readonly index?: TreeIndex | undefined },
): Promise<OpenTree> {
  const { root, stateDirectory, limits, signal, waitMs = 30_000 } = options;
  throwIfAborted(signal);
  await mkdir(stateDirectory, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw storageError(stateDirectory, error);
  });
  const release = await lockTree(join(stateDirectory, 'sync'), { waitMs, signal });
  try {
    const indexPath = join(stateDirectory, 'index');
    const index = options.index ?? (await loadIndex(indexPath));
    const contents = createContentStore(stateDirectory);
    const journal = createJournal(join(stateDirectory, 'journal'));
    let isDirty = false;
    const tree = {
      root,
      index,
      contents,
      journal,
      async scan(isIgnored?: (path: string) => boolean) {
        const scanned = await scanTree({ root, index, limits, isIgnored, signal });
        isDirty ||= scanned.changed;
        return scanned;
      },
      touch: () => void (isDirty = true),
      async close() {
        try {
          if (isDirty) await saveIndex(indexPath, index);
        } finally {
          await release();
        }
      },
    };
    const { recovered } = await recoverTree(tree);
    isDirty ||= recovered;
    return { ...tree, recovered };
  } catch (error) {
    await release();
    throw error;
  }
}
