import { homedir } from 'node:os';
import { appendPath, type PathOptions, systemFlavour } from './path-flavour.ts';

/** What `~/` stands for. */
export interface HomeOptions extends PathOptions {
  /**
   * The home directory. An empty one makes the path relative.
   *
   * @defaultValue the home directory of the running user
   */
  readonly home?: string | undefined;
}

/** Replaces a leading `~/`. `~` alone and `~user/…` stay as they are. */
export function expandHome(path: string, options: HomeOptions = {}): string {
  const { path: flavour = systemFlavour } = options;
  if (!path.startsWith('~/')) return path;
  return appendPath(options.home ?? homedir(), path.slice(2), flavour);
}

/**
 * A path as written in a file, seen from the directory `base`: `~/` is replaced, an absolute path stays, any other is
 * put below `base`. Nothing is normalised (`..` stays).
 *
 * @example
 * resolvePath('/site/profiles/dev', './secrets.json'); // '/site/profiles/dev/./secrets.json'
 */
export function resolvePath(base: string, path: string, options: HomeOptions = {}): string {
  const { path: flavour = systemFlavour } = options;
  const expanded = expandHome(path, options);
  return flavour.isAbsolute(expanded) ? expanded : appendPath(base, expanded, flavour);
}
