import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Limits } from '../limits.ts';
import type { Retention } from '../retention.ts';
import { storageError, throwIfAborted } from '../sync-error.ts';
import { type ChangeableTree, recoverTree } from './apply-changes.ts';
import { createContentStore } from './content-store.ts';
import { createJournal } from './journal.ts';
import { pruneKept } from './prune-kept.ts';
import { type ScannedTree, type ScanOptions, scanTree } from './scan-tree.ts';
import { createKnownFiles, type IndexMark, type KnownFiles, loadIndex, type TreeIndex } from './tree-index.ts';
import { lockTree } from './tree-lock.ts';

/** A tree that nobody else of this package changes until it is closed. */
export interface OpenTree extends ChangeableTree {
  /** What is known of the files; made when it is asked for, for most syncs do without. */
  readonly index: TreeIndex;
  /** The same, for whoever opens the tree again. */
  readonly known: KnownFiles;
  /** What was said of the index when it was written, as long as nothing is known to be different. */
  readonly mark: IndexMark | undefined;
  /** Says it of the index as it is now. */
  setMark(mark: IndexMark): void;
  /** Whether something was finished that a killed process began: the index is not as it was. */
  readonly recovered: boolean;
  scan(ignore?: Pick<ScanOptions, 'isIgnored' | 'ignored'>): Promise<ScannedTree>;
  /** Says that the index is not as it was read. */
  touch(): void;
  /** Forgets what need not be kept any more. */
  prune(keep: Retention): void;
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
  options: TreeOptions & { readonly waitMs?: number; readonly known?: KnownFiles | undefined },
): Promise<OpenTree> {
  const { root, stateDirectory, limits, signal, waitMs = 30_000 } = options;
  throwIfAborted(signal);
  await mkdir(stateDirectory, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw storageError(stateDirectory, error);
  });
  const release = await lockTree(join(stateDirectory, 'sync'), { waitMs, signal });
  try {
    const indexPath = join(stateDirectory, 'index');
    const stored = options.known === undefined ? await loadIndex(indexPath) : undefined;
    const known = options.known ?? createKnownFiles(stored);
    const contents = createContentStore(stateDirectory);
    const journal = createJournal(join(stateDirectory, 'journal'));
    let mark = stored?.mark;
    let isDirty = false;
    let recovered = false;
    const touch = (): void => {
      isDirty = true;
      mark = undefined;
    };
    const tree: OpenTree = {
      root,
      contents,
      journal,
      known,
      get index() {
        return known.files();
      },
      get mark() {
        return mark;
      },
      setMark(next) {
        isDirty = true;
        mark = next;
      },
      get recovered() {
        return recovered;
      },
      async scan(ignore) {
        const scanned = await scanTree({ root, known, limits, signal, ...ignore });
        if (scanned.changes.size > 0) touch();
        isDirty ||= scanned.changed;
        return scanned;
      },
      touch,
      prune(keep) {
        try {
          pruneKept(stateDirectory, keep);
        } catch {
          // What was done is done, and the next one tries again.
        }
      },
      async close() {
        try {
          if (isDirty) await known.save(indexPath, mark);
        } finally {
          await release();
        }
      },
    };
    ({ recovered } = await recoverTree(tree));
    if (recovered) touch();
    return tree;
  } catch (error) {
    await release();
    throw error;
  }
}
