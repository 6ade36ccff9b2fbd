import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import * as z from 'zod/mini';
import type { FileChange } from '../file-facts.ts';
import { isMissing, SyncError, storageError } from '../sync-error.ts';

/** One set of changes of a tree: written down before the first, and what `undo` reads. */
export interface JournalEntry {
  readonly id: string;
  /** Number in the order of time, from 1. */
  readonly number: number;
  readonly at: string;
  /** `applying` until every change is made. */
  readonly state: 'applying' | 'done';
  readonly changes: readonly FileChange[];
  /** Paths that were left as they are because somebody changed them meanwhile. */
  readonly left: readonly string[];
}

const hashSchema = z.string().check(z.regex(/^[0-9a-f]{64}$/));
export const factsSchema = z.object({
  hash: hashSchema,
  size: z.int().check(z.minimum(0)),
  mode: z.union([z.literal(0o644), z.literal(0o755)]),
});
export const changeSchema = z.object({
  path: z.string(),
  before: z.optional(factsSchema),
  after: z.optional(factsSchema),
});
const entrySchema: z.ZodMiniType<JournalEntry> = z.object({
  id: z.string(),
  number: z.int(),
  at: z.string(),
  state: z.enum(['applying', 'done']),
  changes: z.array(changeSchema),
  left: z.array(z.string()),
});

/** Names of sets of changes: they are parts of file names. */
export const idPattern = /^[0-9a-z-]{8,64}$/;

/** The journal of a tree: a file for each set of changes. */
export interface Journal {
  get(id: string): Promise<JournalEntry | undefined>;
  /** What a killed process did not finish. */
  unfinished(): Promise<readonly JournalEntry[]>;
  save(entry: JournalEntry): Promise<void>;
  /** Says that all was done as it was saved: another name, and nothing is written again. */
  finish(entry: JournalEntry): Promise<void>;
  nextNumber(): Promise<number>;
}

const namePattern = /^(\d{8})-([0-9a-z-]+)\.(applying|done)\.json$/;

export function createJournal(directory: string): Journal {
  // What is unfinished is seen by its name: an old entry may be large, and is read only to undo it.
  const nameOf = ({ number, id, state }: JournalEntry): string =>
    `${String(number).padStart(8, '0')}-${id}.${state}.json`;
  const pathOf = (name: string): string => join(directory, name);
  const applyingPath = (entry: JournalEntry): string => pathOf(nameOf({ ...entry, state: 'applying' }));
  const names = async (): Promise<readonly string[]> => {
    const all = existsSync(directory) ? await readdir(directory) : [];
    return all.filter((name) => namePattern.test(name)).sort();
  };
  const read = async (name: string): Promise<JournalEntry> => {
    try {
      const entry = entrySchema.parse(JSON.parse(await readFile(pathOf(name), 'utf8')));
      return { ...entry, state: name.endsWith('.done.json') ? 'done' : 'applying' };
    } catch (error) {
      if (isMissing(error)) throw storageError(pathOf(name), error);
      throw new SyncError('SP_SYNC_DAMAGED', `Journal ${pathOf(name)} is damaged`, { path: pathOf(name) });
    }
  };
  return {
    async get(id) {
      const found = (await names()).filter((name) => namePattern.exec(name)?.[2] === id);
      const name = found.find((one) => one.endsWith('.done.json')) ?? found[0];
      return name === undefined ? undefined : read(name);
    },
    async unfinished() {
      const all = await names();
      const entries: JournalEntry[] = [];
      for (const name of all.filter((one) => one.endsWith('.applying.json'))) {
        const done = name.replace('.applying.', '.done.');
        if (all.includes(done)) await rm(pathOf(name), { force: true });
        else entries.push(await read(name));
      }
      return entries;
    },
    async save(entry) {
      const path = pathOf(nameOf(entry));
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        await writeFileAtomic(path, JSON.stringify(entry), { mode: 0o600 });
        if (entry.state === 'done') await rm(applyingPath(entry), { force: true });
      } catch (error) {
        throw storageError(path, error);
      }
    },
    async finish(entry) {
      const path = pathOf(nameOf({ ...entry, state: 'done' }));
      try {
        await rename(applyingPath(entry), path);
      } catch (error) {
        throw storageError(path, error);
      }
    },
    nextNumber: async () => Number((await names()).at(-1)?.slice(0, 8) ?? 0) + 1,
  };
}
