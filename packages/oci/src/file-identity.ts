/** What a file is told from others by: `stat` with `bigint`. */
export interface FileStats {
  /** Device. */
  readonly dev: bigint;
  /** Inode. */
  readonly ino: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** When the content changed, in nanoseconds. */
  readonly mtimeNs: bigint;
  /** When anything about it changed, in nanoseconds; nobody can set it. */
  readonly ctimeNs: bigint;
}

/**
 * What tells a file from every other one on this computer, for {@link LayerEntry}.
 *
 * @example
 * const identity = fileIdentity(lstatSync('/srv/site/index.html', { bigint: true }));
 */
export function fileIdentity({ dev, ino, size, mtimeNs, ctimeNs }: FileStats): string {
  return `${dev}:${ino}/${dev}:${size}:${mtimeNs}:${ctimeNs}`;
}

/**
 * Whether these are the stats of the file: it is in the same place of the disk, even if it was written to since; or, on
 * network and shared folders that number their files anew, it has the same length and the same times to the nanosecond.
 */
export function isSameFile(identity: string, stats: FileStats): boolean {
  const [place, version] = identity.split('/');
  const [ownPlace, ownVersion] = fileIdentity(stats).split('/');
  return place === ownPlace || version === ownVersion;
}
