import { linkSync, lstatSync, renameSync, rmSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type FileChange, type FileFacts, isSameFile } from '../file-facts.ts';
import { checkPaths } from '../path-rules.ts';
import { isMissing, SyncError, storageError, systemCode } from '../sync-error.ts';
import type { ContentStore } from './content-store.ts';
import { hashFile, isSameStat } from './hash-file.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { NewFolders } from './new-folders.ts';
import { indexed } from './scan-tree.ts';
import type { IndexedFile, TreeIndex } from './tree-index.ts';
import {
  currentFacts,
  type FolderKind,
  fileOnTheWay,
  isParentSafe,
  missingFolder,
  prepareParent,
  removeEmptyParents,
  statOrNothing,
} from './tree-paths.ts';

/** A tree with all that changing it needs. */
export interface ChangeableTree {
  readonly root: string;
  readonly index: TreeIndex;
  readonly contents: ContentStore;
  readonly journal: Journal;
}

/**
 * Makes changes of a tree, all or none as far as anybody's edits allow: everything is looked at and here before the first
 * one is made, what it replaces is kept, each path changes in one step, and a kill in the middle is gone on from.
 *
 * @throws {@link SyncError} `SP_SYNC_MOVED` when a path is not as it was planned: nothing is changed then
 */
export async function applyChanges(
  tree: ChangeableTree,
  options: {
    readonly id: string;
    readonly changes: readonly FileChange[];
    /** Where contents of new folders are already. */
    readonly newFolders?: NewFolders | undefined;
  },
): Promise<JournalEntry> {
  const { journal, contents } = tree;
  const { id, changes, newFolders } = options;
  const known = await journal.get(id);
  if (known?.state === 'done') return known;
  // Apart: a name may go where another spelling of it comes, and a folder where a file was.
  checkPaths(changes.filter(({ after }) => after === undefined).map(({ path }) => path));
  checkPaths(changes.filter(({ after }) => after !== undefined).map(({ path }) => path));
  const moved: string[] = [];
  const removed = new Set(changes.filter(({ after }) => after === undefined).map(({ path }) => path));
  const folders = new Map<string, FolderKind>();
  for (const [at, { path, before, after }] of changes.entries()) {
    if (at % 1000 === 999) await setImmediate();
    // Its folder is not there either: nothing to look at.
    if (before === undefined && missingFolder(tree.root, path, folders) !== undefined) continue;
    const current = await currentFacts(tree, path, folders);
    const isAsPlanned = isSameFile(current, before) || isSameFile(current, after);
    const inTheWay = after === undefined ? undefined : fileOnTheWay(tree.root, path, folders);
    if (!isAsPlanned || (inTheWay !== undefined && !removed.has(inTheWay))) moved.push(path);
  }
  if (moved.length > 0) {
    const message = `Cannot change ${tree.root}: ${moved.length} of its files changed meanwhile, ${moved[0]} for one`;
    throw new SyncError('SP_SYNC_MOVED', message, { paths: moved, retryable: true });
  }
  for (const { path, after } of changes) {
    if (after === undefined || newFolders?.has(path) === true) continue;
    if (contents.find(after.hash) === undefined && newFolders?.find(after.hash) === undefined) {
      throw new SyncError('SP_SYNC_DAMAGED', `Content ${after.hash} is not there`, { retryable: true });
    }
  }
  const number = known?.number ?? (await journal.nextNumber());
  const entry: JournalEntry = { id, number, at: new Date().toISOString(), state: 'applying', changes, left: [] };
  await journal.save(entry);
  return finish(tree, entry, newFolders);
}

/** Goes on with what a killed process began, before anything else is done with a tree. */
export async function recoverTree(tree: ChangeableTree): Promise<{ readonly recovered: boolean }> {
  const unfinished = await tree.journal.unfinished();
  if (unfinished.length > 0) await tree.contents.takeLeft();
  for (const entry of unfinished) {
    for (const change of entry.changes) await settleHalfDone(tree, change);
    await finish(tree, entry);
  }
  return { recovered: unfinished.length > 0 };
}

async function finish(tree: ChangeableTree, entry: JournalEntry, newFolders?: NewFolders): Promise<JournalEntry> {
  // Whole folders first. What could not be moved goes the way of all others.
  const moved = newFolders?.move() ?? new Map<string, IndexedFile>();
  newFolders?.release(tree.contents.adopt);
  const left: string[] = [];
  const changes: FileChange[] = [];
  const uses = new Map<string, number>();
  for (const { path, after } of entry.changes) {
    if (after !== undefined && !moved.has(path)) uses.set(after.hash, (uses.get(after.hash) ?? 0) + 1);
  }
  const safe = new Set<string>();
  // Deletions first: a folder may come where a file was.
  const ordered = [...entry.changes].sort((a, b) => Number(a.after !== undefined) - Number(b.after !== undefined));
  for (const [at, change] of ordered.entries()) {
    const { path, after } = change;
    const file = moved.get(path);
    if (file !== undefined) {
      tree.index.set(path, file);
      changes.push(change);
      continue;
    }
    const remaining = after === undefined ? 0 : (uses.get(after.hash) ?? 1) - 1;
    if (after !== undefined) uses.set(after.hash, remaining);
    const made = await makeChange(tree, change, { safe, isLast: remaining === 0 });
    if (made === undefined) left.push(path);
    changes.push(made ?? change);
    if (at % 200 === 199) await setImmediate();
  }
  const done: JournalEntry = { ...entry, state: 'done', changes, left: [...entry.left, ...left] };
  const isAsSaved = left.length === 0 && changes.every((change, at) => change === ordered[at]);
  if (isAsSaved) await tree.journal.finish(entry);
  else await tree.journal.save(done);
  return done;
}

/** The change as it was made; `undefined` when the path was left because it is neither as before nor as after. */
async function makeChange(
  tree: ChangeableTree,
  change: FileChange,
  options: { readonly safe: Set<string>; readonly isLast: boolean },
): Promise<FileChange | undefined> {
  const { root, index, contents } = tree;
  const { path, before, after } = change;
  const target = join(root, path);
  const temporary = join(dirname(target), `.sp-sync-${after?.hash}`);
  const current = await currentFacts(tree, path);
  if (!isSameFile(current, before) || isSameFile(before, after)) {
    // Made before a kill, or somebody else's: either way nothing to do, but perhaps to tidy.
    if (after !== undefined && isParentSafe(root, path)) tidy(temporary);
    return isSameFile(current, after) ? change : undefined;
  }
  let isBeside = false;
  try {
    if (after !== undefined && !prepareParent(root, path, options.safe)) return undefined;
    if (after !== undefined && before === undefined && options.isLast && contents.place(after, target)) {
      remember(tree, path, after);
      return change;
    }
    isBeside = after !== undefined;
    if (after !== undefined && !(await placeBeside(tree, after, { temporary, isLast: options.isLast })))
      return undefined;
    if (before === undefined) {
      try {
        // A link and not a rename: what somebody puts there in this moment stays.
        linkSync(temporary, target);
      } catch (error) {
        if (systemCode(error) !== 'EPERM' && systemCode(error) !== 'ENOTSUP') throw error;
        if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) return undefined;
        renameSync(temporary, target);
      }
      remember(tree, path, after);
      return change;
    }
    const seen = lstatSync(target);
    const keeping = contents.keep(target, before.hash);
    if (after === undefined) rmSync(target);
    else renameSync(temporary, target);
    const kept = await settleKept(keeping, { seen, before, kept: dirname(keeping) });
    if (after === undefined) {
      index.delete(path);
      removeEmptyParents(root, path);
    } else remember(tree, path, after);
    return kept === before ? change : { path, before: kept, after };
  } catch (error) {
    // Somebody put something there, or in the place of a folder, in this moment.
    if (systemCode(error) === 'EEXIST' || systemCode(error) === 'ENOTDIR') return undefined;
    throw storageError(target, error);
  } finally {
    if (isBeside) tidy(temporary);
  }
}

function tidy(temporary: string): void {
  try {
    rmSync(temporary, { force: true });
  } catch (error) {
    // Its folder is a file by now.
    if (!isMissing(error)) throw storageError(temporary, error);
  }
}

/** Puts a content beside the place where it belongs; what a killed process put there already is used. */
async function placeBeside(
  { contents }: ChangeableTree,
  file: FileFacts,
  { temporary, isLast }: { readonly temporary: string; readonly isLast: boolean },
): Promise<boolean> {
  if (contents.find(file.hash) !== undefined) {
    contents.take(file, temporary, { isLast });
    return true;
  }
  const there = lstatSync(temporary, { throwIfNoEntry: false });
  return there?.isFile() === true && (await hashFile(temporary))?.hash === file.hash;
}

/** Gives what was kept its name, by what it really is: it may have been written to until the moment it was replaced. */
async function settleKept(
  keeping: string,
  { seen, before, kept }: { readonly seen: Stats; readonly before: FileFacts; readonly kept: string },
): Promise<FileFacts> {
  const now = lstatSync(keeping);
  let facts = before;
  if (!isSameStat(seen, now)) {
    const read = await hashFile(keeping);
    if (read !== undefined) facts = { hash: read.hash, size: read.stats.size, mode: before.mode };
  }
  const target = join(kept, facts.hash);
  const there = lstatSync(target, { throwIfNoEntry: false });
  // A rename over another name of the same file would leave both.
  if (there?.ino === now.ino) rmSync(keeping);
  else renameSync(keeping, target);
  return facts;
}

/**
 * What a kill left between two names of a file. One that is in the tree must not have a second name: writing to the one
 * would change the other. One that was replaced gets the name by which it is kept.
 */
async function settleHalfDone({ root, contents }: ChangeableTree, change: FileChange): Promise<void> {
  const { path, before, after } = change;
  const target = statOrNothing(join(root, path));
  const isTarget = (other: string): boolean => target !== undefined && statOrNothing(other)?.ino === target.ino;
  if (after !== undefined && isTarget(contents.incomingPath(after.hash))) rmSync(contents.incomingPath(after.hash));
  if (before === undefined) return;
  if (isTarget(contents.keptPath(before.hash))) rmSync(contents.keptPath(before.hash));
  const keeping = contents.keepingPath(before.hash);
  if (statOrNothing(keeping) === undefined) return;
  const hash = (await hashFile(keeping))?.hash ?? before.hash;
  const kept = contents.keptPath(hash);
  const isKept = statOrNothing(kept) !== undefined && (await hashFile(kept))?.hash === hash;
  if (isKept || isTarget(keeping)) rmSync(keeping);
  else renameSync(keeping, kept);
}

function remember({ root, index }: ChangeableTree, path: string, facts: FileFacts | undefined): void {
  const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (facts !== undefined && stats?.isFile()) index.set(path, indexed(stats, facts.hash));
}
