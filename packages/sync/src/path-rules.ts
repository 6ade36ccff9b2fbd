import { SyncError } from './sync-error.ts';

/** Why a path cannot travel, whatever is behind it; `undefined` when it can. Folders are looked at once. */
function pathProblem(path: string, sound: Set<string>): string | undefined {
  const length = lengthProblem(path);
  if (length !== undefined) return length;
  const slash = path.lastIndexOf('/');
  const folder = path.slice(0, Math.max(slash, 0));
  if (slash !== -1 && !sound.has(folder)) {
    for (const segment of folder.split('/')) {
      const problem = nameProblem(segment);
      if (problem !== undefined) return problem;
    }
    sound.add(folder);
  }
  return nameProblem(path.slice(slash + 1));
}

/** The same for a path whose names were looked at. */
export function lengthProblem(path: string): string | undefined {
  const isShort = path.length < 340 || Buffer.byteLength(path) <= 1024;
  return isShort && path !== '' ? undefined : 'it is empty or longer than 1024 bytes';
}

/** The most usual names: nothing can be wrong with them but that they hold secrets. */
const plainName = /^[a-z0-9_-][a-z0-9_.-]{0,59}$/;

/** The same for one segment of a path. */
export function nameProblem(name: string): string | undefined {
  if (plainName.test(name)) return secretNames.test(name) ? 'it may hold secrets' : undefined;
  if (name === '' || name === '.' || name === '..') return 'it could leave its folder';
  if (/[\\\p{Cc}]/u.test(name)) return 'it has a backslash or a control character';
  // What is not UTF-8 on disk is read as U+FFFD, and would be written as another name.
  if (name.includes('\ufffd') || /\p{Surrogate}/u.test(name)) return 'it is not UTF-8';
  if (/^[a-z]:/i.test(name)) return 'it could name a drive';
  if (name.length > 60 && Buffer.byteLength(name) > 255) return 'it is longer than 255 bytes';
  return neverTravels(name) ? 'it may hold secrets' : undefined;
}

const secretNames =
  /^(?:\.systemprompt|\.git|\.env(?:\..*)?|secrets\.json.*|\.npmrc|\.netrc|\.ssh|id_(?:rsa|dsa|ecdsa|ed25519)|.*\.(?:pem|key|p12|pfx)|\.sp-sync-.*)$/;

/**
 * Names of files and folders that stay where they are: secrets, the CLI's own folder, version control, and the temporary
 * files of this package. No option takes this back, on either side.
 */
export function neverTravels(name: string): boolean {
  return secretNames.test(foldName(name));
}

/** Names that some file system takes for the same give the same text. */
export function foldName(name: string): string {
  if (/^[ -~]*$/.test(name)) return name.toLowerCase();
  // Twice each: `ß` and `SS`, `ſ` and `s`, a letter and its accent in one or two characters.
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
}

/** Finds paths that are one and the same on some file system, and files that would have to be folders too. */
export function createTwinFinder(): {
  /** The path that stands in the way of this one, or `undefined` after it was added. */
  add(path: string): string | undefined;
} {
  // By their spelling that is the same for twins; those of folders end in `/`.
  const byFolded = new Map<string, string>();
  /** Folded spelling of folders that are in nobody's way, with a `/` at its end. */
  const folders = new Map([['', '']]);
  const withoutSlash = (path: string): string => path.replace(/\/$/, '');
  const folder = (own: string): { readonly folded: string } | { readonly other: string } => {
    const known = folders.get(own);
    if (known !== undefined) return { folded: known };
    const slash = own.lastIndexOf('/');
    const parent = folder(slash === -1 ? '' : own.slice(0, slash));
    if ('other' in parent) return parent;
    const folded = parent.folded + foldName(own.slice(slash + 1));
    const other = byFolded.get(folded);
    if (other !== undefined && other !== `${own}/`) return { other: withoutSlash(other) };
    byFolded.set(folded, `${own}/`);
    folders.set(own, `${folded}/`);
    return { folded: `${folded}/` };
  };
  return {
    add(path) {
      const slash = path.lastIndexOf('/');
      const parent = folder(slash === -1 ? '' : path.slice(0, slash));
      if ('other' in parent) return parent.other;
      const folded = parent.folded + foldName(path.slice(slash + 1));
      const other = byFolded.get(folded);
      if (other === undefined) byFolded.set(folded, path);
      return other === undefined ? undefined : withoutSlash(other);
    },
  };
}

/** @throws {@link SyncError} `SP_SYNC_UNSAFE_PATH` for the first path that cannot be in a tree with the others */
export function checkPaths(paths: Iterable<string>): void {
  const twins = createTwinFinder();
  const sound = new Set<string>();
  for (const path of paths) {
    const problem = pathProblem(path, sound) ?? twinProblem(twins.add(path));
    if (problem === undefined) continue;
    throw new SyncError('SP_SYNC_UNSAFE_PATH', `Cannot sync ${JSON.stringify(path)}: ${problem}`, { path });
  }
}

function twinProblem(other: string | undefined): string | undefined {
  return other === undefined ? undefined : `${JSON.stringify(other)} is in its place`;
}
