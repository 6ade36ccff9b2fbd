import { OciError } from './error.ts';

/** What all entries of a layer have. */
export interface LayerEntryOwner {
  /** Path inside the image: relative, `/` between segments, no `.` or `..`. */
  readonly path: string;
  /** Numeric owner. @defaultValue 0 */
  readonly uid?: number | undefined;
  /** Numeric group. @defaultValue 0 */
  readonly gid?: number | undefined;
}

/** One thing in a layer. Times are not part of it: they are always the epoch. */
export type LayerEntry =
  | (LayerEntryOwner & {
      readonly type: 'file';
      /** Absolute path of the content on disk; a symbolic link is followed. */
      readonly source: string;
      /**
       * `fileIdentity` of the file that is meant: whatever else is found there, also through a link, is refused
       * (`SP_OCI_FILE_CHANGED`). @defaultValue any file
       */
      readonly identity?: string | undefined;
      /** @defaultValue 0o644 */
      readonly mode?: number | undefined;
    })
  | (LayerEntryOwner & {
      readonly type: 'bytes';
      readonly content: Uint8Array;
      /** @defaultValue 0o644 */
      readonly mode?: number | undefined;
    })
  | (LayerEntryOwner & {
      readonly type: 'directory';
      /** @defaultValue 0o755 */
      readonly mode?: number | undefined;
    })
  | (LayerEntryOwner & {
      readonly type: 'symlink';
      /** What the link says, as it is; it may point anywhere. */
      readonly target: string;
    });

/**
 * The entries in the order of the archive: checked, sorted by the bytes of their paths, with the directories that
 * nobody mentioned.
 */
export function planLayer(entries: Iterable<LayerEntry>): readonly LayerEntry[] {
  const byPath = new Map<string, LayerEntry>();
  for (const entry of entries) {
    checkEntry(entry);
    if (byPath.has(entry.path)) throw refused(entry.path, 'it is there twice');
    byPath.set(entry.path, entry);
  }
  for (const { path } of Array.from(byPath.values())) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end);
      const known = byPath.get(parent);
      // The ones above it are looked at for its own sake.
      if (known?.type === 'directory') break;
      if (known !== undefined) throw refused(path, `${parent} is not a directory`);
      byPath.set(parent, { type: 'directory', path: parent });
    }
  }
  const planned = Array.from(byPath.values());
  // Without surrogates the order of the characters is that of their bytes, and is found much faster.
  if (!planned.some(({ path }) => /[\ud800-\udfff]/.test(path))) return planned.sort(byCharacters);
  return planned
    .map((entry) => ({ entry, key: Buffer.from(entry.path) }))
    .sort((a, b) => a.key.compare(b.key))
    .map(({ entry }) => entry);
}

function byCharacters(a: LayerEntry, b: LayerEntry): number {
  return a.path < b.path ? -1 : 1;
}

function checkEntry(entry: LayerEntry): void {
  const { path } = entry;
  const segments = path.split('/');
  if (path === '') throw refused(path, 'it is empty');
  if (path.startsWith('/')) throw refused(path, 'it is absolute');
  if (segments.includes('')) throw refused(path, 'a segment is empty');
  if (segments.includes('.') || segments.includes('..')) throw refused(path, 'it has a segment `.` or `..`');
  if (path.includes('\0')) throw refused(path, 'it contains NUL');
  if (!isWellFormed(path)) throw refused(path, 'it is not well-formed Unicode');
  // In a layer such a name deletes its namesake of the layers below.
  if (segments.some((segment) => segment.startsWith('.wh.'))) throw refused(path, '`.wh.` names are whiteouts');
  if (entry.type === 'symlink') {
    const { target } = entry;
    if (target === '' || target.includes('\0') || !isWellFormed(target)) throw refused(path, 'its target is invalid');
  } else if (entry.mode !== undefined && !isWithin(entry.mode, 0o7777)) {
    throw refused(path, 'its `mode` is out of range');
  }
  if (!isWithin(entry.uid ?? 0, 0xffffffff)) throw refused(path, 'its `uid` is out of range');
  if (!isWithin(entry.gid ?? 0, 0xffffffff)) throw refused(path, 'its `gid` is out of range');
}

function refused(path: string, why: string): OciError {
  return new OciError('SP_OCI_PATH', `Cannot put ${JSON.stringify(path)} in a layer: ${why}`, { path });
}

/** A lone surrogate has no UTF-8 form: two such names would silently become one. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function isWithin(value: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= maximum;
}
