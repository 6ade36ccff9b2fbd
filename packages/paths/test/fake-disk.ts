import type { EntryKind } from '../src/index.ts';

/** A disk with these entries: directories end in a separator. */
export function diskOf(...entries: readonly string[]): EntryKind {
  return (path) => {
    if (entries.includes(path)) return 'other';
    return entries.includes(`${path}/`) || entries.includes(`${path}\\`) ? 'directory' : undefined;
  };
}
