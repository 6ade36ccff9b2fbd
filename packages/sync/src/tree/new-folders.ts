import {
  closeSync,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { FileChange, FileFacts } from '../file-facts.ts';
import { storageError, systemCode } from '../sync-error.ts';
import { indexed } from './scan-tree.ts';
import type { IndexedFile } from './tree-index.ts';
import { type FolderKind, isParentSafe, missingFolder, prepareParent } from './tree-paths.ts';

/**
 * Folders that a tree does not have yet, filled beside it and moved into it as a whole: for thousands of new files that is one
 * step where each of them would take four.
 */
export interface NewFolders {
  /** Writes a verified content to all of its places; false when a file elsewhere needs it, too. */
  put(hash: string, content: Uint8Array): boolean;
  /** Whether the file at a path was written. */
  has(path: string): boolean;
  /** Where a content was written; `undefined` when it was not. */
  find(hash: string): string | undefined;
  /** Moves the folders to where none is, and says what is there now by that. What could not be moved stays behind. */
  move(): ReadonlyMap<string, IndexedFile>;
  /** Leaves what is not moved as contents by their hashes, and removes the rest. */
  release(keep: (path: string, hash: string) => void): void;
}

/** Finds the new folders of a set of changes; `undefined` when there are none. They are filled in `directory`. */
export function createNewFolders(
  root: string,
  changes: readonly FileChange[],
  directory: string,
): NewFolders | undefined {
  const kinds = new Map<string, FolderKind>();
  const places = new Map<string, { readonly path: string; readonly top: string; readonly facts: FileFacts }[]>();
  const elsewhere = new Set<string>();
  for (const { path, before, after } of changes) {
    if (after === undefined) continue;
    const top = before === undefined ? missingFolder(root, path, kinds) : undefined;
    if (top === undefined) elsewhere.add(after.hash);
    else {
      const all = places.get(after.hash);
      if (all === undefined) places.set(after.hash, [{ path, top, facts: after }]);
      else all.push({ path, top, facts: after });
    }
  }
  if (places.size === 0) return undefined;

  const written = new Map<string, { readonly file: IndexedFile; readonly top: string }>();
  const made = new Set<string>();
  return {
    put(hash, content) {
      for (const { path, top, facts } of places.get(hash) ?? []) {
        if (written.has(path)) continue;
        const target = join(directory, path);
        try {
          const parent = dirname(target);
          if (!made.has(parent)) mkdirSync(parent, { recursive: true });
          made.add(parent);
          written.set(path, { top, file: indexed(write(target, content, facts.mode), hash) });
        } catch (error) {
          throw storageError(target, error);
        }
      }
      return places.has(hash) && !elsewhere.has(hash);
    },
    has: (path) => written.has(path),
    find(hash) {
      const path = places.get(hash)?.find((place) => written.has(place.path))?.path;
      return path === undefined ? undefined : join(directory, path);
    },
    move() {
      const moved = new Map<string, IndexedFile>();
      const isMoved = new Map<string, boolean>();
      const names = new Map<string, ReadonlySet<string>>();
      const isHere = (path: string): boolean => {
        const slash = path.lastIndexOf('/');
        const folder = path.slice(0, slash);
        const all = names.get(folder) ?? new Set(readdirSync(join(directory, folder)));
        names.set(folder, all);
        return all.has(path.slice(slash + 1));
      };
      // Looked at once more: whatever cleans up beside this must not make a deletion of it.
      const missing = new Set(Array.from(written).flatMap(([path, { top }]) => (isHere(path) ? [] : [top])));
      for (const [path, { top, file }] of written) {
        if (!isMoved.has(top)) isMoved.set(top, !missing.has(top) && moveFolder(root, top, directory));
        if (isMoved.get(top) === true) moved.set(path, file);
      }
      for (const path of moved.keys()) written.delete(path);
      return moved;
    },
    release(keep) {
      for (const [path, { file }] of written) keep(join(directory, path), file.hash);
      written.clear();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function write(target: string, content: Uint8Array, mode: number): Stats {
  const descriptor = openSync(target, 'wx', 0o644);
  try {
    for (let at = 0; at < content.byteLength; ) at += writeSync(descriptor, content, at);
    if (mode !== 0o644) fchmodSync(descriptor, mode);
    return fstatSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** In one step, and only to where nothing is. */
function moveFolder(root: string, top: string, directory: string): boolean {
  const target = join(root, top);
  if (!isParentSafe(root, top) || !prepareParent(root, top, new Set())) return false;
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) return false;
  try {
    renameSync(join(directory, top), target);
    return true;
  } catch (error) {
    // Somebody put something there in this moment, or it is on another disk.
    if (['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EXDEV', 'EPERM'].includes(systemCode(error) ?? '')) return false;
    throw storageError(target, error);
  }
}
