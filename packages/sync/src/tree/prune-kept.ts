import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Retention } from '../retention.ts';

const dayMs = 24 * 60 * 60 * 1000;
const recordName = /^\d{8}-([0-9a-z-]+?)(?:\.done)?\.json$/;

/**
 * Forgets what syncs replaced or deleted so long ago that it need not be kept. Under the tree's lock. Records go before the
 * contents that only they need, so whatever can still be undone, after a kill too, can be undone whole.
 */
export function pruneKept(stateDirectory: string, { syncs, days }: Retention): void {
  const before = Date.now() - days * dayMs;
  const operations = join(stateDirectory, 'operations');
  const journal = join(stateDirectory, 'journal');
  const pruning = join(stateDirectory, 'pruning');
  /** The oldest records of a folder that need not be kept. */
  const expired = (folder: string): readonly string[] => {
    const all = namesIn(folder)
      .filter((name) => recordName.test(name))
      .sort();
    const old = all.slice(0, -syncs);
    // Only from the beginning: what was undone must not outlive its undoing.
    const end = old.findIndex((name) => ageOf(join(folder, name)) >= before);
    return end === -1 ? old : old.slice(0, end);
  };
  const expiredOperations = expired(operations);
  const goneIds = new Set(expiredOperations.map(idOf));
  const heldIds = new Set(
    namesIn(operations)
      .map(idOf)
      .filter((id) => !goneIds.has(id)),
  );
  const expiredEntries = expired(journal).filter((name) => !heldIds.has(idOf(name)));
  const isBegun = existsSync(pruning);
  // A few at a time: to see what the others need they are all read.
  if (!isBegun && Math.max(expiredOperations.length, expiredEntries.length) < Math.ceil(syncs / 4)) return;

  // Until this is gone, contents may be here that nobody needs.
  if (!isBegun) writeFileSync(pruning, '', { mode: 0o600 });
  for (const name of expiredOperations) rmSync(join(operations, name), { force: true });
  for (const name of expiredEntries) rmSync(join(journal, name), { force: true });
  const needed = new Set<string>();
  for (const folder of [operations, journal]) {
    for (const name of namesIn(folder)) {
      // Every hash that a record names, whatever it says of it.
      for (const [hash] of readFileSync(join(folder, name), 'latin1').matchAll(/[0-9a-f]{64}/g)) needed.add(hash);
    }
  }
  const kept = join(stateDirectory, 'kept');
  for (const name of namesIn(kept)) {
    const path = join(kept, name);
    // What no record names was replaced in the moment of a kill: it is kept as long as everything else.
    if (/^[0-9a-f]{64}$/.test(name) && !needed.has(name) && ageOf(path) < before) rmSync(path, { force: true });
  }
  rmSync(pruning, { force: true });
}

function idOf(name: string): string {
  return recordName.exec(name)?.[1] ?? '';
}

/** When something came to where it is. */
function ageOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.ctimeMs ?? Number.POSITIVE_INFINITY;
}

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
