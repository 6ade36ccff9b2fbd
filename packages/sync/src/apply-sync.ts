import { join } from 'node:path';
import { type OpenSync, withSync } from './client/open-sync.ts';
import { saveOperation } from './client/operations.ts';
import type { RemoteApplied } from './client/remote-tree.ts';
import { agree, baseOf, type SyncBase } from './client/sync-base.ts';
import { type FileChange, type FileFacts, isSameFile, type Manifest } from './file-facts.ts';
import { checkPaths } from './path-rules.ts';
import type { SyncPlan } from './plan/sync-plan.ts';
import { withRetention } from './retention.ts';
import { SyncError } from './sync-error.ts';
import type { SyncOptions } from './sync-options.ts';
import { applyChanges } from './tree/apply-changes.ts';
import { type ContentStore, withNewFolders } from './tree/content-store.ts';
import { idPattern } from './tree/journal.ts';
import { createNewFolders, type NewFolders } from './tree/new-folders.ts';
import { isKnown } from './tree/scan-tree.ts';
import { treeHash } from './tree/tree-hash.ts';
import { isSettled } from './tree/tree-index.ts';
import { currentFacts, type FolderKind } from './tree/tree-paths.ts';

/** What a sync did. */
export interface SyncResult {
  /** Names the sync: {@link undoSync} takes it back. */
  readonly id: string;
  /** Paths of the tenant that were changed. */
  readonly up: readonly string[];
  /** Paths of the project that were changed. */
  readonly down: readonly string[];
  /** Paths that were planned, and left because somebody changed them in this moment. */
  readonly left: readonly string[];
}

/**
 * Does exactly what a plan says. Everything that it replaces or deletes, on either side, is kept first; nothing is changed
 * when a file is not as it was planned. Safe to repeat after a failure or a kill, with the same plan or a new one.
 *
 * @throws {@link SyncError} `SP_SYNC_MOVED` with the `paths` that are not as they were planned, and all that `planSync` throws
 * @example
 * const result = await applySync(plan, { root, stateDirectory, remote });
 * console.log(result.up, result.down);
 */
export function applySync(plan: SyncPlan, options: SyncOptions): Promise<SyncResult> {
  return withSync(options, (sync) => applyOpen(sync, plan, options));
}

/** The same for a project that is open already. */
export async function applyOpen(
  sync: OpenSync,
  plan: SyncPlan,
  { stateDirectory, root, keep }: SyncOptions,
  { isFresh = false }: { readonly isFresh?: boolean } = {},
): Promise<SyncResult> {
  const { tree } = sync;
  const { id, up, down, protocol } = plan;
  // It may come from a file, and be no plan of ours.
  for (const side of [up, down]) {
    for (const kind of [true, false]) {
      checkPaths(side.filter(({ after }) => (after === undefined) === kind).map(({ path }) => path));
    }
  }
  if (!idPattern.test(id)) throw new SyncError('SP_SYNC_DAMAGED', 'Cannot apply the plan: its id is malformed');
  if ((await sync.agreedTree()) !== plan.remoteTree) throw anotherSync();
  if (up.length + down.length + plan.conflicts.length === 0) return { id, up: [], down: [], left: [] };
  const base = await sync.loadBase();
  if (base?.tree !== plan.remoteTree) throw anotherSync();
  if (up.length === 0 && down.length === 0) {
    await settle(base, { sync, plan, applied: noChanges, local: noChanges });
    return { id, up: [], down: [], left: [] };
  }
  // From here on it is not sure what both sides have, until it is written down below.
  tree.touch();
  // What was looked at a moment ago is looked at again when it is read; more is changed nowhere.
  if (!isFresh || down.length > 0 || protocol === 'tarball') await checkLocal(sync, plan);
  const newFolders = createNewFolders(root, down, tree.contents.fillingPath());
  try {
    const result = await applyBoth(sync, { plan, base, newFolders, stateDirectory });
    tree.prune(withRetention(keep));
    return result;
  } finally {
    // Of what came and was not used, the next sync need not ask again.
    newFolders?.giveUp(tree.contents.adopt);
  }
}

/** The tenant's side first, then this one. */
async function applyBoth(
  sync: OpenSync,
  options: {
    readonly plan: SyncPlan;
    readonly base: SyncBase;
    readonly newFolders: NewFolders | undefined;
    readonly stateDirectory: string;
  },
): Promise<SyncResult> {
  const { plan, base, newFolders, stateDirectory } = options;
  const { tree } = sync;
  const { id, up, down, protocol } = plan;
  const contents = withNewFolders(tree.contents, newFolders);
  const remote = sync.remoteFor(protocol);
  await stage(sync, plan, contents);
  const touched = new Set([...up, ...down].map(({ path }) => path));
  const before = Array.from(touched, (path): [string, FileFacts | null] => [path, baseOf(base, path) ?? null]);
  const recorded = saveOperation(stateDirectory, { id, kind: 'sync', protocol, up, down, base: before });
  if (up.length === 0) await recorded;
  const applied =
    up.length === 0
      ? noChanges
      : await remote.apply(up, {
          id,
          recorded,
          tree: base.tree,
          has: hashesIn(base.remote, up),
          contents: tree.contents,
          // A twin's content is the tenant's own, which came for this side.
          sourceOf: ({ path, after }) => {
            const here = tree.index.get(path);
            if (after === undefined) return undefined;
            if (here === undefined || !isSameFile(here, after)) return { file: contents.find(after.hash) };
            // Older than this look at it: a change since would have another time.
            const isOld = isSettled(here, sync.openedAt);
            return { file: join(tree.root, path), isSame: isOld ? (stats) => isKnown(here, stats) : undefined };
          },
        });
  const entry = down.length === 0 ? undefined : await applyChanges(tree, { id, changes: down, newFolders });
  if (entry !== undefined) tree.touch();
  const local: RemoteApplied = {
    changes: new Map(entry?.changes.map(({ path, after }) => [path, after])),
    left: entry?.left ?? [],
  };
  await settle(base, { sync, plan, applied, local });
  tree.contents.clearIncoming(0);
  const left = new Set([...applied.left, ...local.left]);
  return {
    id,
    up: up.map(({ path }) => path).filter((path) => !applied.left.includes(path)),
    down: down.map(({ path }) => path).filter((path) => !local.left.includes(path)),
    left: Array.from(left),
  };
}

/** Contents of changes that a tree has. */
function hashesIn(files: Manifest, changes: readonly FileChange[]): ReadonlySet<string> {
  const wanted = new Set(changes.map(({ after }) => after?.hash));
  const found = new Set<string>();
  for (const { hash } of files.values()) if (wanted.has(hash)) found.add(hash);
  return found;
}

function anotherSync(): SyncError {
  return new SyncError('SP_SYNC_MOVED', 'Cannot apply the plan: another sync was made since', { retryable: true });
}

const noChanges: RemoteApplied = { changes: new Map(), left: [] };

/** What goes up has to be what was planned; the tenant checks its own side, and `applyChanges` this side's. */
async function checkLocal({ tree }: OpenSync, { up, down, conflicts }: SyncPlan): Promise<void> {
  const paths: string[] = [];
  const comingDown = new Set(down.map(({ path }) => path));
  const folders = new Map<string, FolderKind>();
  const twins = new Set(conflicts.map(({ twin }) => twin));
  for (const { path, after } of up) {
    if (comingDown.has(path)) continue;
    const current = await currentFacts(tree, path, folders);
    // A twin that only the tenant gets is nowhere here.
    if (!isSameFile(current, after) && !(current === undefined && twins.has(path))) paths.push(path);
  }
  for (const { path, before, after } of down) {
    const current = await currentFacts(tree, path, folders);
    if (!isSameFile(current, before) && !isSameFile(current, after)) paths.push(path);
  }
  if (paths.length === 0) return;
  const message = `Cannot apply the plan: ${paths.length} files changed meanwhile, ${paths[0]} for one`;
  throw new SyncError('SP_SYNC_MOVED', message, { paths, retryable: true });
}

/** Brings all that comes down here before anything is changed: from files of this side that have it, else from the tenant. */
async function stage(sync: OpenSync, { down, protocol }: SyncPlan, contents: ContentStore): Promise<void> {
  const { index, root } = sync.tree;
  const wanted = new Map<string, FileFacts>();
  for (const { after } of down) if (after !== undefined) wanted.set(after.hash, after);
  if (wanted.size === 0) return;
  await contents.takeLeft();
  const byHash = new Map(Array.from(index, ([path, { hash }]) => [hash, path]));
  for (const file of wanted.values()) {
    const path = byHash.get(file.hash);
    const isHere = (await contents.has(file)) || (path !== undefined && (await contents.copy(file, join(root, path))));
    if (isHere) wanted.delete(file.hash);
  }
  if (wanted.size > 0) await sync.remoteFor(protocol).fetch(Array.from(wanted.values()), contents);
}

/** Writes down what both sides agree on now. */
async function settle(
  base: SyncBase,
  options: {
    readonly sync: OpenSync;
    readonly plan: SyncPlan;
    readonly applied: RemoteApplied;
    readonly local: RemoteApplied;
  },
): Promise<void> {
  const { sync, plan, applied, local } = options;
  const remoteFiles = new Map(base.remote);
  for (const [path, facts] of applied.changes) {
    if (applied.left.includes(path)) continue;
    if (facts === undefined) remoteFiles.delete(path);
    else remoteFiles.set(path, facts);
  }
  const isTouched = applied.changes.size > 0;
  const agreed = new Map<string, FileFacts | undefined>();
  const comingDown = new Map(plan.down.map((change): [string, FileChange] => [change.path, change]));
  for (const { path, after } of plan.up) {
    if (applied.left.includes(path)) continue;
    // A twin that only the tenant has now: this side has not seen it.
    const isHere = isSameFile(sync.tree.index.get(path), after) || comingDown.has(path);
    agreed.set(path, isHere ? after : undefined);
  }
  for (const { path, after } of plan.down) {
    // A twin that only this side has now: the tenant has not seen it.
    if (!local.left.includes(path)) agreed.set(path, isSameFile(remoteFiles.get(path), after) ? after : undefined);
  }
  for (const { path, resolution, twin, remote } of plan.conflicts) {
    // Both are here now: what the project has is a change of what the tenant has.
    if (resolution === 'keep-both' && twin !== undefined && plan.direction === 'down') agreed.set(path, remote);
  }
  if (agreed.size === 0 && !isTouched) return;
  const overrides = new Map(base.overrides);
  for (const path of applied.changes.keys()) {
    if (!agreed.has(path)) overrides.set(path, baseOf(base, path) ?? null);
  }
  const tree = isTouched ? treeHash(remoteFiles) : base.tree;
  const next = agree({ tree, remote: remoteFiles, overrides }, agreed);
  await sync.saveBase(next);
  sync.settle(next);
}
