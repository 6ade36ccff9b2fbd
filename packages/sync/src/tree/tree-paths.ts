import { lstatSync, mkdirSync, rmdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { type FileFacts, normalMode } from '../file-facts.ts';
import { isMissing, SyncError, storageError } from '../sync-error.ts';
import { hashFile } from './hash-file.ts';
import { indexed, isKnown } from './scan-tree.ts';
import type { TreeIndex } from './tree-index.ts';

/** What is at a path now, without following links. Read only when the index does not know it. */
export async function currentFacts(
  { root, index }: { readonly root: string; readonly index: TreeIndex },
  path: string,
  folders?: Map<string, FolderKind>,
): Promise<FileFacts | undefined> {
  const target = join(root, path);
  const other = firstOther(root, path, folders);
  if (other?.kind === 'link') throw unsafe(path, 'a link is on the way to it');
  if (other?.kind === 'nothing') return undefined;
  const stats = statOrNothing(target);
  if (stats === undefined) return undefined;
  if (!stats.isFile()) {
    if (stats.isDirectory()) return undefined;
    throw unsafe(path, 'what is there is no file');
  }
  const known = index.get(path);
  if (known !== undefined && isKnown(known, stats)) return known;
  try {
    const read = await hashFile(target);
    if (read === undefined) return { hash: 'unsettled', size: stats.size, mode: normalMode(stats.mode) };
    const facts = indexed(read.stats, read.hash);
    index.set(path, facts);
    return facts;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageError(target, error);
  }
}

export function statOrNothing(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageError(path, error);
  }
}

/** What is where a path has a folder. */
export type FolderKind = 'folder' | 'link' | 'file' | 'nothing';

/**
 * Whether every folder on the way is a folder, or is not there yet. With `folders` each is looked at once, for a first
 * look at many paths; right before a path is changed it is looked at again.
 */
export function isParentSafe(root: string, path: string, folders?: Map<string, FolderKind>): boolean {
  return firstOther(root, path, folders)?.kind !== 'link';
}

/** The file that stands where a folder on the way to a path would be. */
export function fileOnTheWay(root: string, path: string, folders?: Map<string, FolderKind>): string | undefined {
  const other = firstOther(root, path, folders);
  return other === undefined || other.kind === 'nothing' ? undefined : other.at;
}

/** The first folder on the way to a path that is not there; `undefined` when all are, or something else is. */
export function missingFolder(root: string, path: string, folders: Map<string, FolderKind>): string | undefined {
  const other = firstOther(root, path, folders);
  return other?.kind === 'nothing' ? other.at : undefined;
}

/** The first on the way to a path that is no folder. */
function firstOther(
  root: string,
  path: string,
  folders = new Map<string, FolderKind>(),
): { readonly at: string; readonly kind: FolderKind } | undefined {
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
    const at = path.slice(0, end);
    let kind = folders.get(at);
    if (kind === undefined) {
      kind = kindOf(statOrNothing(join(root, at)));
      folders.set(at, kind);
    }
    if (kind !== 'folder') return { at, kind };
  }
  return undefined;
}

function kindOf(stats: Stats | undefined): FolderKind {
  if (stats === undefined) return 'nothing';
  if (stats.isSymbolicLink()) return 'link';
  return stats.isDirectory() ? 'folder' : 'file';
}

/** Makes the folders on the way; false when something else is in the way. */
export function prepareParent(root: string, path: string, safe: Set<string>): boolean {
  const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  if (safe.has(parent)) return true;
  if (parent === '') {
    mkdirSync(root, { recursive: true });
  } else {
    if (!prepareParent(root, parent, safe)) return false;
    const stats = lstatSync(join(root, parent), { throwIfNoEntry: false });
    if (stats === undefined) mkdirSync(join(root, parent));
    else if (!stats.isDirectory()) return false;
  }
  safe.add(parent);
  return true;
}

export function removeEmptyParents(root: string, path: string): void {
  for (let at = path.lastIndexOf('/'); at !== -1; at = path.lastIndexOf('/', at - 1)) {
    try {
      rmdirSync(join(root, path.slice(0, at)));
    } catch {
      // Not empty, or not ours to remove.
      return;
    }
    if (at === 0) return;
  }
}

function unsafe(path: string, why: string): SyncError {
  return new SyncError('SP_SYNC_UNSAFE_PATH', `Cannot sync ${JSON.stringify(path)}: ${why}`, { path });
}
