import nodePath from 'node:path';

/** The rules of one kind of system: `posix` and `win32` of `node:path` are both of this shape. */
export interface PathFlavour {
  /** What stands between two names: `/` or `\`. */
  readonly sep: string;
  /** The path without its last name. */
  dirname(path: string): string;
  /** The last name of the path. */
  basename(path: string): string;
  /** Whether the path begins at a root. */
  isAbsolute(path: string): boolean;
}

/** Which rules paths follow. */
export interface PathOptions {
  /**
   * The rules, so that those of another system can be used.
   *
   * @defaultValue `node:path` (the rules of the running system)
   */
  readonly path?: PathFlavour | undefined;
}

/** The rules of the running system. */
export const systemFlavour: PathFlavour = nodePath;

/**
 * Puts a path below another one. Nothing is normalised: where `base` holds a symlink, `link/..` is not the directory
 * that the text suggests.
 */
export function appendPath(base: string, below: string, path: PathFlavour): string {
  if (base === '') return below;
  const ends = base.endsWith('/') || base.endsWith(path.sep);
  return ends ? base + below : base + path.sep + below;
}

/** The directory itself, its parent, and so on to the root; by the text, without looking at the disk. */
export function ancestors(from: string, path: PathFlavour): readonly string[] {
  const directories = [from];
  for (let directory = from; ; ) {
    const parent = path.dirname(directory);
    if (parent === directory) return directories;
    directories.push(parent);
    directory = parent;
  }
}
