import { type FileChange, isSameFile } from '../file-facts.ts';
import { applyChanges } from './apply-changes.ts';
import type { JournalEntry } from './journal.ts';
import type { OpenTree } from './open-tree.ts';

/** Undoes what can be undone: what was changed since stays, and is named in `left`. */
export async function undoEntry(
  tree: OpenTree,
  { id, entry }: { readonly id: string; readonly entry: JournalEntry },
): Promise<JournalEntry> {
  const known = await tree.journal.get(id);
  if (known?.state === 'done') return known;
  const changes: FileChange[] = [];
  const left: string[] = [];
  await tree.scan();
  for (const { path, before, after } of entry.changes) {
    if (entry.left.includes(path) || isSameFile(before, after)) continue;
    const current = tree.index.get(path);
    if (isSameFile(current, before)) continue;
    const isHere = before === undefined || (await tree.contents.has(before));
    if (isSameFile(current, after) && isHere) changes.push({ path, before: after, after: before });
    else left.push(path);
  }
  const done = await applyChanges(tree, { id, changes });
  return { ...done, left: [...done.left, ...left] };
}
