import type { Limits } from '../limits.ts';
import type { Retention } from '../retention.ts';
import type { KnownTrees } from '../tree/known-trees.ts';
import type { OpenTree } from '../tree/open-tree.ts';
import type { KnownFiles } from '../tree/tree-index.ts';

/** What all routes of a sync handler share. */
export interface ServerContext {
  readonly root: string;
  readonly stateDirectory: string;
  readonly limits: Limits;
  readonly keep: Retention;
  readonly knownTrees: KnownTrees;
  /** What is known of the files, between requests. */
  known?: KnownFiles | undefined;
  /** The hash of the tree in `known`, as long as that is the same. */
  treeHash?: string | undefined;
  withTree<T>(work: (tree: OpenTree) => Promise<T>): Promise<T>;
}
