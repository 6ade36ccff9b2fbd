import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import * as z from 'zod/mini';
import type { FileChange, FileFacts } from '../file-facts.ts';
import { isMissing, SyncError, storageError } from '../sync-error.ts';
import { changeSchema, factsSchema } from '../tree/journal.ts';

/** One sync, or the undoing of one: what it set out to do, written down before the first change. */
export interface SyncOperation {
  /** The same on both sides. */
  readonly id: string;
  readonly number: number;
  readonly at: string;
  readonly kind: 'sync' | 'undo';
  /** Of an `undo`: the operation that it undoes. */
  readonly of?: string | undefined;
  readonly protocol: 'manifest' | 'tarball';
  readonly up: readonly FileChange[];
  readonly down: readonly FileChange[];
  /** What was agreed on before of everything that it touches. */
  readonly base: readonly (readonly [string, FileFacts | null])[];
}

const operationSchema: z.ZodMiniType<SyncOperation> = z.object({
  id: z.string(),
  number: z.int(),
  at: z.string(),
  kind: z.enum(['sync', 'undo']),
  of: z.optional(z.string()),
  protocol: z.enum(['manifest', 'tarball']),
  up: z.array(changeSchema),
  down: z.array(changeSchema),
  base: z.array(z.tuple([z.string(), z.nullable(factsSchema)])),
});

const folder = (stateDirectory: string): string => join(stateDirectory, 'operations');

/** All operations, the newest first. */
export async function* newestOperations(stateDirectory: string): AsyncGenerator<SyncOperation> {
  for (const name of (await names(stateDirectory)).toReversed()) {
    const path = join(folder(stateDirectory), name);
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      throw storageError(path, error);
    });
    const operation = parseOperation(text);
    if (operation === undefined) throw new SyncError('SP_SYNC_DAMAGED', `Record ${path} is damaged`, { path });
    yield operation;
  }
}

function parseOperation(text: string): SyncOperation | undefined {
  try {
    return operationSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export async function saveOperation(
  stateDirectory: string,
  operation: Omit<SyncOperation, 'number' | 'at'>,
): Promise<void> {
  const directory = folder(stateDirectory);
  const all = await names(stateDirectory);
  const number = Number(all.at(-1)?.slice(0, 8) ?? 0) + 1;
  // The same plan again is the same operation.
  if (all.some((name) => name.slice(9) === `${operation.id}.json`)) return;
  const path = join(directory, `${String(number).padStart(8, '0')}-${operation.id}.json`);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const record: SyncOperation = { ...operation, number, at: new Date().toISOString() };
    await writeFileAtomic(path, JSON.stringify(record), { mode: 0o600 });
  } catch (error) {
    throw storageError(path, error);
  }
}

async function names(stateDirectory: string): Promise<readonly string[]> {
  const all = await readdir(folder(stateDirectory)).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw storageError(folder(stateDirectory), error);
  });
  return all.filter((name) => /^\d{8}-[0-9a-z-]+\.json$/.test(name)).sort();
}
