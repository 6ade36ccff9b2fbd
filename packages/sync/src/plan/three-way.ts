import { type FileChange, type FileFacts, factsOf, isSameFile, type Manifest } from '../file-facts.ts';
import { createTwinFinder } from '../path-rules.ts';
import type { SkippedFile } from '../tree/scan-tree.ts';
import type { LeftFile, SyncConflict, SyncDirection, SyncPlan, SyncResolution } from './sync-plan.ts';

/** What {@link compareTrees} compares. */
export interface ThreeWay {
  readonly local: Manifest;
  readonly remote: Manifest;
  readonly base: (path: string) => FileFacts | undefined;
  readonly basePaths: Iterable<string>;
  /** The only paths that are not as they were agreed on, when that is known: no others are looked at. */
  readonly only?: Iterable<string> | undefined;
  readonly skipped: { readonly local: readonly SkippedFile[]; readonly remote: readonly SkippedFile[] };
  readonly isIgnored: (path: string) => boolean;
  readonly direction: SyncDirection;
  readonly resolve: (conflict: Omit<SyncConflict, 'resolution' | 'twin'>) => SyncResolution;
  readonly delete: boolean;
  /** Why the tenant cannot take a change. */
  readonly refusal: (change: FileChange) => string | undefined;
}

type Compared = Pick<SyncPlan, 'up' | 'down' | 'conflicts' | 'left' | 'unchanged'> & {
  /** Paths that are the same on both sides, and were not agreed on yet. */
  readonly agreed: readonly string[];
};

/** Tells the two sides' changes apart by what they agreed on last. */
export function compareTrees(three: ThreeWay): Compared {
  const { local, remote, base, direction, isIgnored, refusal } = three;
  const up: FileChange[] = [];
  const down: FileChange[] = [];
  const conflicts: SyncConflict[] = [];
  const agreed: string[] = [];
  const left: LeftFile[] = [];
  let unchanged = 0;
  const isUnseen = createUnseen(three.skipped, left);
  const goes = (change: FileChange, side: 'local' | 'remote'): void => {
    const isDeletion = change.after === undefined;
    const reason = isDeletion && !three.delete ? 'deletion' : side === 'remote' ? refusal(change) : undefined;
    if (reason !== undefined) left.push({ path: change.path, side, reason });
    else if (side === 'remote' && direction !== 'down') up.push(change);
    else if (side === 'local' && direction !== 'up') down.push(change);
  };

  const visit = (path: string): void => {
    if (isIgnored(path) || isUnseen(path)) return;
    if (isSameFile(local.get(path), remote.get(path))) {
      if (local.has(path)) unchanged += 1;
      if (!isSameFile(local.get(path), base(path))) agreed.push(path);
      return;
    }
    const ours = pick(local.get(path));
    const theirs = pick(remote.get(path));
    const agreedOn = pick(base(path));
    if (isSameFile(theirs, agreedOn)) goes({ path, before: theirs, after: ours }, 'remote');
    else if (isSameFile(ours, agreedOn)) goes({ path, before: ours, after: theirs }, 'local');
    else {
      const found = { path, base: agreedOn, local: ours, remote: theirs };
      conflicts.push(settle({ ...found, resolution: three.resolve(found) }, three, { goes }));
    }
  };
  if (three.only === undefined) {
    for (const path of local.keys()) visit(path);
    for (const path of remote.keys()) if (!local.has(path)) visit(path);
    for (const path of three.basePaths) if (!local.has(path) && !remote.has(path)) visit(path);
  } else {
    unchanged = local.size;
    for (const path of three.only) {
      if (local.has(path)) unchanged -= 1;
      visit(path);
    }
  }

  // In the order of paths, so that a plan reads the same every time.
  for (const list of [up, down, conflicts, left]) list.sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    up: withoutBlocked(up, remote, (path, reason) => left.push({ path, side: 'remote', reason })),
    down: withoutBlocked(down, local, (path, reason) => left.push({ path, side: 'local', reason })),
    conflicts,
    left,
    unchanged,
    agreed,
  };
}

/** Turns a resolution into changes. */
function settle(
  conflict: SyncConflict,
  { local, remote, direction }: ThreeWay,
  { goes }: { readonly goes: (change: FileChange, side: 'local' | 'remote') => void },
): SyncConflict {
  const { path, local: ours, remote: theirs, resolution } = conflict;
  if (resolution === 'ours') goes({ path, before: theirs, after: ours }, 'remote');
  if (resolution === 'theirs') goes({ path, before: ours, after: theirs }, 'local');
  if (resolution !== 'keep-both') return conflict;
  // One of them deleted it: keeping both is keeping the one that is there.
  if (ours === undefined) goes({ path, before: ours, after: theirs }, 'local');
  else if (theirs === undefined) goes({ path, before: theirs, after: ours }, 'remote');
  else {
    const twin = twinName(path, theirs.hash);
    const onThisSide = { path: twin, before: pick(local.get(twin)), after: theirs };
    if (!isSameFile(onThisSide.before, theirs)) goes(onThisSide, 'local');
    if (direction !== 'down') {
      const there = { path: twin, before: pick(remote.get(twin)), after: theirs };
      if (!isSameFile(there.before, theirs)) goes(there, 'remote');
      goes({ path, before: theirs, after: ours }, 'remote');
    }
    return { ...conflict, twin };
  }
  return conflict;
}

/** `notes.md` of the tenant is `notes.remote-1a2b3c4d.md` beside the project's. */
function twinName(path: string, hash: string): string {
  const slash = path.lastIndexOf('/') + 1;
  const dot = path.lastIndexOf('.');
  const at = dot > slash ? dot : path.length;
  return `${path.slice(0, at)}.remote-${hash.slice(0, 8)}${path.slice(at)}`;
}

/** Leaves out what cannot be beside what is there: another spelling of a name, a file where a folder is. */
function withoutBlocked(
  changes: readonly FileChange[],
  target: Manifest,
  onBlocked: (path: string, reason: string) => void,
): FileChange[] {
  if (changes.every(({ before, after }) => before !== undefined || after === undefined)) return [...changes];
  const twins = createTwinFinder();
  const removed = new Set(changes.filter(({ after }) => after === undefined).map(({ path }) => path));
  for (const path of target.keys()) if (!removed.has(path)) twins.add(path);
  return changes.filter(({ path, before, after }) => {
    if (before !== undefined || after === undefined) return true;
    const other = twins.add(path);
    if (other !== undefined) onBlocked(path, `${other} is in its place`);
    return other === undefined;
  });
}

/** Whether a path, or a folder on the way to it, was not looked at on one of the sides: nothing is known about it there. */
function createUnseen(skipped: ThreeWay['skipped'], left: LeftFile[]): (path: string) => boolean {
  const unseen = new Set<string>();
  for (const side of ['local', 'remote'] as const) {
    for (const { path, reason } of skipped[side]) {
      unseen.add(path);
      left.push({ path, side, reason });
    }
  }
  if (unseen.size === 0) return () => false;
  return (path) => {
    for (let at = path.length; at !== -1; at = path.lastIndexOf('/', at - 1)) {
      if (unseen.has(path.slice(0, at))) return true;
      if (at === 0) break;
    }
    return false;
  };
}

function pick(file: FileFacts | undefined): FileFacts | undefined {
  return file === undefined ? undefined : factsOf(file);
}
