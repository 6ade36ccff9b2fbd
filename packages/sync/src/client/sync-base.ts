import { closeSync, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import * as z from 'zod/mini';
import { type FileFacts, isSameFile } from '../file-facts.ts';
import { isMissing, SyncError, storageError } from '../sync-error.ts';
import { factsSchema } from '../tree/journal.ts';
import { formatManifest, parseManifest } from '../tree/known-trees.ts';

/**
 * What both sides agreed on last: the tenant's tree as it was seen last, and the paths that were agreed on as something
 * else. One file, so that the two never come apart.
 */
export interface SyncBase {
  /** Hash of `remote`. */
  readonly tree: string;
  readonly remote: ReadonlyMap<string, FileFacts>;
  /** `null`: agreed on as no file. */
  readonly overrides: ReadonlyMap<string, FileFacts | null>;
}

const headerSchema = z.object({
  version: z.literal(1),
  tree: z.string(),
  overrides: z.array(z.tuple([z.string(), z.nullable(factsSchema)])),
});

/** What is said of a base at its beginning. */
export interface BaseHead {
  readonly tree: string;
  /** Whether nothing but that tree was agreed on. */
  readonly isPlain: boolean;
}

/** Reads that without reading it all; `undefined` when it cannot be told. */
export function peekBase(path: string): BaseHead | undefined {
  const head = Buffer.alloc(128);
  try {
    const descriptor = openSync(path, 'r');
    try {
      readSync(descriptor, head, 0, head.length, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Whoever reads it all says what is wrong.
    return undefined;
  }
  const [, tree, rest] = /^\{"version":1,"tree":"([0-9a-f]{64})","overrides":\[(.)/.exec(head.toString('latin1')) ?? [];
  return tree === undefined ? undefined : { tree, isPlain: rest === ']' };
}

/** What was agreed on, or `undefined` when nothing ever was. */
export async function loadBase(path: string): Promise<SyncBase | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw storageError(path, error);
  });
  if (text === undefined) return undefined;
  const end = text.indexOf('\n');
  const remote = parseManifest(text.slice(end + 1));
  try {
    const { tree, overrides } = headerSchema.parse(JSON.parse(text.slice(0, end)));
    if (remote !== undefined) return { tree, remote, overrides: new Map(overrides) };
  } catch {
    // Said below.
  }
  throw new SyncError('SP_SYNC_BASE_DAMAGED', `What was synced last is damaged: ${path}`, { path });
}

export async function saveBase(path: string, { tree, remote, overrides }: SyncBase): Promise<void> {
  const header = JSON.stringify({ version: 1, tree, overrides: Array.from(overrides) });
  const text = `${header}\n${formatManifest(remote)}`;
  await writeFileAtomic(path, text, { fsync: false, mode: 0o600 }).catch((error: unknown) => {
    throw storageError(path, error);
  });
}

export function baseOf(base: SyncBase | undefined, path: string): FileFacts | undefined {
  if (base === undefined) return undefined;
  const override = base.overrides.get(path);
  return override === undefined ? base.remote.get(path) : (override ?? undefined);
}

/** The same agreements over another state of the tenant's tree. */
export function moveBase(
  base: SyncBase | undefined,
  { tree, files }: { readonly tree: string; readonly files: ReadonlyMap<string, FileFacts> },
): SyncBase {
  const overrides = new Map<string, FileFacts | null>();
  const keep = (path: string): void => {
    const agreed = baseOf(base, path);
    if (!isSameFile(agreed, files.get(path))) overrides.set(path, agreed ?? null);
  };
  for (const path of files.keys()) keep(path);
  for (const path of base?.remote.keys() ?? []) if (!files.has(path)) keep(path);
  for (const path of base?.overrides.keys() ?? []) keep(path);
  return { tree, remote: files, overrides };
}

/** The same with other agreements. */
export function agree(base: SyncBase, agreements: Iterable<readonly [string, FileFacts | undefined]>): SyncBase {
  const overrides = new Map(base.overrides);
  for (const [path, facts] of agreements) {
    if (isSameFile(facts, base.remote.get(path))) overrides.delete(path);
    else overrides.set(path, facts ?? null);
  }
  return { ...base, overrides };
}
