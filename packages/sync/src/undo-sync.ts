import { createHash } from 'node:crypto';
import { type OpenSync, withSync } from './client/open-sync.ts';
import { newestOperations, type SyncOperation, saveOperation } from './client/operations.ts';
import type { RemoteApplied } from './client/remote-tree.ts';
import { agree, baseOf, type SyncBase } from './client/sync-base.ts';
import { type FileChange, type FileFacts, isSameFile } from './file-facts.ts';
import { SyncError } from './sync-error.ts';
import type { SyncOptions } from './sync-options.ts';
import { treeHash } from './tree/tree-hash.ts';
import { undoEntry } from './tree/undo-entry.ts';

/** Options of {@link undoSync}. */
export interface UndoSyncOptions extends SyncOptions {
  /** The sync, or the undoing, to take back. @defaultValue the newest sync that was not taken back */
  readonly id?: string | undefined;
}

/** What was taken back. */
export interface UndoResult {
  /** Names the undoing: with it as `id` of another one, the sync is made again. */
  readonly id: string;
  /** The sync that was taken back. */
  readonly of: string;
  /** Paths of the tenant that are as before. */
  readonly up: readonly string[];
  /** Paths of the project that are as before. */
  readonly down: readonly string[];
  /** Paths that are not: they were changed since the sync, or the tenant cannot. */
  readonly left: readonly string[];
}

/**
 * Brings back what a sync replaced or deleted, on both sides, and takes away what it brought. What was edited since stays.
 * Like a sync it keeps what it replaces, so it can be taken back too.
 *
 * @throws {@link SyncError} `SP_SYNC_NOTHING_TO_UNDO`, and all that `planSync` throws
 * @example
 * const { down } = await undoSync({ root, stateDirectory, remote });
 */
export function undoSync(options: UndoSyncOptions): Promise<UndoResult> {
  return withSync(options, async (sync) => {
    const { stateDirectory } = options;
    const { operation, count } = await findOperation(stateDirectory, options.id);
    // The same until it is written down as done: a killed undo goes on as the one that it was.
    const id = createHash('sha256').update(`${operation.id} ${count}`).digest('hex').slice(0, 32);
    return undoOpen(sync, { operation, id, stateDirectory });
  });
}

async function undoOpen(
  sync: OpenSync,
  options: { readonly operation: SyncOperation; readonly id: string; readonly stateDirectory: string },
): Promise<UndoResult> {
  const { operation, id, stateDirectory } = options;
  const { tree } = sync;
  const base = await sync.loadBase();
  if (base === undefined) throw new SyncError('SP_SYNC_NOTHING_TO_UNDO', 'Nothing was ever synced');
  const { protocol, up } = operation;
  const reversed = up.map(({ path, before, after }) => ({ path, before: after, after: before }));
  const nothing: RemoteApplied = { changes: new Map(), left: [] };
  const remote = sync.remoteFor(protocol);
  const answer =
    up.length === 0 ? nothing : await remote.undo({ id, of: operation.id, changes: reversed, contents: tree.contents });
  // A sync that was killed may never have come there; one that did was forgotten there since.
  if (answer === undefined && up.some((change) => isMade(base, change))) {
    throw new SyncError('SP_SYNC_NOTHING_TO_UNDO', `The tenant keeps nothing of sync ${operation.id} any more`);
  }
  const undone = answer ?? nothing;
  const entry = await tree.journal.get(operation.id);
  const local = entry === undefined ? undefined : await undoEntry(tree, { id, entry });
  tree.touch();

  const remoteFiles = new Map(base.remote);
  for (const [path, facts] of undone.changes) {
    if (undone.left.includes(path)) continue;
    if (facts === undefined) remoteFiles.delete(path);
    else remoteFiles.set(path, facts);
  }
  const overrides = new Map(base.overrides);
  for (const path of undone.changes.keys()) overrides.set(path, baseOf(base, path) ?? null);
  const left = Array.from(new Set([...undone.left, ...(local?.left ?? [])]));
  const agreed = operation.base
    .filter(([path]) => !left.includes(path))
    .map(([path, facts]): [string, FileFacts | undefined] => [path, facts ?? undefined]);
  const hash = undone.changes.size === 0 ? base.tree : treeHash(remoteFiles);
  await sync.saveBase(agree({ tree: hash, remote: remoteFiles, overrides }, agreed));
  const again = operation.base.map(([path]): [string, FileFacts | null] => [path, baseOf(base, path) ?? null]);
  const down = local?.changes ?? [];
  await saveOperation(stateDirectory, {
    id,
    kind: 'undo',
    of: operation.id,
    protocol,
    up: reversed,
    down,
    base: again,
  });
  return {
    id,
    of: operation.id,
    up: Array.from(undone.changes.keys()).filter((path) => !left.includes(path)),
    down: down.filter(({ before, after }) => !isSameFile(before, after)).map(({ path }) => path),
    left,
  };
}

/** Whether the tenant was seen as a change left it. */
function isMade(base: SyncBase, { path, before, after }: FileChange): boolean {
  return isSameFile(base.remote.get(path), after) && !isSameFile(before, after);
}

async function findOperation(
  stateDirectory: string,
  id: string | undefined,
): Promise<{ readonly operation: SyncOperation; readonly count: number }> {
  const undone = new Set<string>();
  let count: number | undefined;
  for await (const operation of newestOperations(stateDirectory)) {
    count ??= operation.number;
    if (id === undefined ? operation.kind === 'sync' && !undone.has(operation.id) : operation.id === id) {
      return { operation, count };
    }
    // An undoing that was itself taken back undoes nothing any more.
    if (operation.of !== undefined && !undone.has(operation.id)) undone.add(operation.of);
  }
  const what = id === undefined ? 'No sync is left to take back' : `There is no sync ${id}`;
  throw new SyncError('SP_SYNC_NOTHING_TO_UNDO', what);
}
