import { type FileFacts, factsOf, isSameFile, type Manifest } from '../file-facts.ts';
import type { ScannedTree } from '../tree/scan-tree.ts';
import type { IndexMark } from '../tree/tree-index.ts';
import type { BaseHead, SyncBase } from './sync-base.ts';

/** More differences than that are not written into an index. */
const maxDiffers = 1000;

/**
 * Tells what was agreed on by this side's files: as long as the tenant's tree is the one that was agreed on, the next sync has
 * to look at nothing but what differs. `undefined` when too much does.
 */
export function markOf(local: Manifest, base: SyncBase, ignored: string): IndexMark | undefined {
  if (base.overrides.size > 0) return undefined;
  const differs: [string, FileFacts | null][] = [];
  let shared = 0;
  for (const [path, agreed] of base.remote) {
    const file = local.get(path);
    if (file !== undefined) shared += 1;
    if (!isSameFile(file, agreed)) differs.push([path, factsOf(agreed)]);
    if (differs.length > maxDiffers) return undefined;
  }
  if (local.size - shared > maxDiffers) return undefined;
  if (local.size > shared) for (const path of local.keys()) if (!base.remote.has(path)) differs.push([path, null]);
  return { tree: base.tree, ignored, differs };
}

/** Whether a mark is about what was agreed on last. */
export function isMarkOf(
  mark: IndexMark | undefined,
  { head, ignored }: { readonly head: BaseHead | undefined; readonly ignored: string },
): mark is IndexMark {
  return mark !== undefined && head?.isPlain === true && head.tree === mark.tree && mark.ignored === ignored;
}

/** What was agreed on, by what is known of this side: to read that from the disk takes ten times as long. */
export function baseOfMark({ tree, differs }: IndexMark, local: Pick<ScannedTree, 'files' | 'changes'>): SyncBase {
  const remote = new Map<string, FileFacts>(local.files);
  for (const changes of [local.changes, differs]) {
    for (const [path, before] of changes) {
      if (before === undefined || before === null) remote.delete(path);
      else remote.set(path, before);
    }
  }
  return { tree, remote, overrides: new Map() };
}

/** The paths of this side that may not be as they were agreed on. */
export function differingPaths(
  { differs }: IndexMark,
  { changes }: Pick<ScannedTree, 'changes'>,
  isIgnored: (path: string) => boolean,
): ReadonlySet<string> {
  const paths = new Set(changes.keys());
  for (const [path] of differs) if (!isIgnored(path)) paths.add(path);
  return paths;
}
