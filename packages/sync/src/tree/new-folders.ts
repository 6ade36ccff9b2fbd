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
import { join } from 'node:path';
import type { FileChange } from '../file-facts.ts';
import { isMissing, type SyncError, storageError, systemCode } from '../sync-error.ts';
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
  /** The same at the end of all, as far as it can be done: a failure that led to it is not hidden by another one. */
  giveUp(keep: (path: string, hash: string) => void): void;
}

/** Finds the new folders of a set of changes; `undefined` when there are none. They are filled in `directory`. */
export function createNewFolders(
  root: string,
  changes: readonly FileChange[],
  directory: string,
): NewFolders | undefined {
  const kinds = new Map<string, FolderKind>();
  const places = new Map<string, Place[]>();
  const elsewhere = new Set<string>();
  for (const { path, before, after } of changes) {
    if (after === undefined) continue;
    const top = before === undefined ? missingFolder(root, path, kinds) : undefined;
    if (top === undefined) elsewhere.add(after.hash);
    else {
      const all = places.get(after.hash);
      if (all === undefined) places.set(after.hash, [{ path, top, mode: after.mode }]);
      else all.push({ path, top, mode: after.mode });
    }
  }
  if (places.size === 0) return undefined;

  const written = new Map<string, IndexedFile>();
  const folders = new Map<string, FilledFolder>();
  const folderOf = (path: string, top: string): FilledFolder => {
    const known = folders.get(path);
    if (known !== undefined) return known;
    mkdirSync(`${directory}/${path}`, { recursive: true });
    const folder = { path, top, names: [] };
    folders.set(path, folder);
    return folder;
  };
  const release = (keep: (path: string, hash: string) => void): void => {
    let failure: SyncError | undefined;
    for (const [path, { hash }] of written) {
      const file = join(directory, path);
      try {
        keep(file, hash);
      } catch (error) {
        // What somebody cleaned up has to come once more.
        if (!isMissing(error)) failure ??= storageError(file, error);
      }
    }
    written.clear();
    folders.clear();
    if (failure !== undefined) throw failure;
    rmSync(directory, { recursive: true, force: true });
  };
  return {
    put(hash, content) {
      for (const { path, top, mode } of places.get(hash) ?? []) {
        if (written.has(path)) continue;
        const slash = path.lastIndexOf('/');
        // Not `join`: the paths were looked at, and that would take as long as to make the files.
        const target = `${directory}/${path}`;
        try {
          const folder = folderOf(path.slice(0, slash), top);
          written.set(path, indexed(write(target, content, mode), hash));
          folder.names.push(path.slice(slash + 1));
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
      const tops = new Map<string, FilledFolder[]>();
      for (const folder of folders.values()) {
        const inside = tops.get(folder.top);
        if (inside === undefined) tops.set(folder.top, [folder]);
        else inside.push(folder);
      }
      for (const [top, inside] of tops) {
        // Looked at once more: whatever cleans up beside this must not make a deletion of it.
        if (!inside.every((folder) => isWhole(folder, directory)) || !moveFolder(root, top, directory)) continue;
        for (const { path: folder, names } of inside) {
          folders.delete(folder);
          for (const name of names) {
            const path = `${folder}/${name}`;
            const file = written.get(path);
            if (file !== undefined) moved.set(path, file);
            // At once: when a later folder cannot be moved, this one is not here any more all the same.
            written.delete(path);
          }
        }
      }
      return moved;
    },
    release,
    giveUp(keep) {
      try {
        release(keep);
      } catch {
        // A later process takes what is left here.
      }
    },
  };
}

/** Where a content belongs. */
interface Place {
  readonly path: string;
  /** The outermost folder of the path that the tree does not have. */
  readonly top: string;
  readonly mode: number;
}

/** A folder that was made, and the names of the files in it. */
interface FilledFolder {
  readonly path: string;
  readonly top: string;
  readonly names: string[];
}

function isWhole({ path, names }: FilledFolder, directory: string): boolean {
  const folder = `${directory}/${path}`;
  try {
    const here = new Set(readdirSync(folder));
    return names.every((name) => here.has(name));
  } catch (error) {
    if (isMissing(error)) return false;
    throw storageError(folder, error);
  }
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
  try {
    if (!isParentSafe(root, top) || !prepareParent(root, top, new Set())) return false;
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) return false;
    renameSync(join(directory, top), target);
    return true;
  } catch (error) {
    // Somebody put something there in this moment, or it is on another disk.
    if (['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EXDEV', 'EPERM'].includes(systemCode(error) ?? '')) return false;
    throw storageError(target, error);
  }
}
