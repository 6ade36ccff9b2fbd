import { statSync } from 'node:fs';
import type { PathOptions } from './path-flavour.ts';

/** What is at a path, symlinks followed; `undefined`: nothing, or nothing that may be looked at. */
export type EntryKind = (path: string) => 'directory' | 'other' | undefined;

/** How the disk is looked at. */
export interface FileSystemOptions extends PathOptions {
  /** What says which entries exist, so that a disk can be made up. @defaultValue the disk of the running system */
  readonly entryKind?: EntryKind | undefined;
}

/** Where a project is looked for. */
export interface DiscoveryOptions extends FileSystemOptions {
  /** The directory to start in, normally the current one; its ancestors are searched too. */
  readonly from: string;
}

/** Looks at the real disk. */
export const systemEntryKind: EntryKind = (path) => {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'other';
  } catch {
    return undefined;
  }
};
