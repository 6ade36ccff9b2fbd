import * as z from 'zod/mini';
import { type FileChange, type FileFacts, factsOf } from '../file-facts.ts';

/** What both sides say to know each other. */
export const protocolVersion = 2;

/** Media type of streams of frames that are compressed as a whole, by Brotli. */
export const streamType = 'application/vnd.systemprompt.sync';

/** Of those that are compressed block by block, where that is worth it. */
export const blockStreamType = 'application/vnd.systemprompt.sync-blocks';

const hashPattern = /^[0-9a-f]{64}$/;
const hash = z.string().check(z.regex(hashPattern));
const size = z.int().check(z.minimum(0));

/** One file on the wire: `[path, hash, size, 'x' | '-']`. */
export type WireFile = [path: string, hash: string, size: number, kind: 'x' | '-'];

/** Many of them: looked at by hand, which takes a tenth of the time. */
const filesSchema = z.custom<WireFile[]>((value) => Array.isArray(value) && value.every(isWireFile));

function isWireFile(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [path, hash, size, kind] = value as readonly unknown[];
  const isText = typeof path === 'string' && typeof hash === 'string' && hashPattern.test(hash);
  return isText && Number.isSafeInteger(size) && (size as number) >= 0 && (kind === 'x' || kind === '-');
}

/** The tree of a side, whole or as what is not as in the tree `base`. */
export const treeSchema = z.object({
  protocol: z.literal(protocolVersion),
  tree: hash,
  base: z.optional(hash),
  files: filesSchema,
  removed: z.array(z.string()),
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
});
export type WireTree = z.infer<typeof treeSchema>;

/** The first frame of changes: what each path has to be before, and is afterwards. `null` is no file. */
export const changesSchema = z.object({
  protocol: z.literal(protocolVersion),
  id: z.string().check(z.regex(/^[0-9a-z-]{8,64}$/)),
  /** What paths are before that are not in `before`. */
  base: z.optional(hash),
  before: z.array(z.tuple([z.string(), z.nullable(z.tuple([hash, size, z.enum(['x', '-'])]))])),
  files: filesSchema,
  removed: z.array(z.string()),
});
export type WireChanges = z.infer<typeof changesSchema>;

/** Contents that are asked for, or asked about. */
export const contentsSchema = z.object({
  contents: z.array(z.object({ hash, size, path: z.optional(z.string()), offset: z.optional(size) })),
});

/** What is to be undone, and the name of the changes that do it. */
const idSchema = z.string().check(z.regex(/^[0-9a-z-]{8,64}$/));
export const undoSchema = z.object({ id: idSchema, of: idSchema });

/** What was done. */
export const appliedSchema = z.object({
  tree: hash,
  /** Nothing when all was done as it was asked. */
  changes: z.optional(z.array(z.tuple([z.string(), z.nullable(z.tuple([hash, size, z.enum(['x', '-'])]))]))),
  left: z.array(z.string()),
});
export type WireApplied = z.infer<typeof appliedSchema>;

/** What the receiver has of the contents that it was asked about. */
export const missingSchema = z.object({ missing: z.array(z.object({ hash, offset: size })) });

/** What a side refuses with. */
export const failureSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), paths: z.optional(z.array(z.string())) }),
});

export function toWire(path: string, { hash, size, mode }: FileFacts): WireFile {
  return [path, hash, size, mode === 0o755 ? 'x' : '-'];
}

export function fromWire([path, hash, size, kind]: WireFile): readonly [string, FileFacts] {
  return [path, { hash, size, mode: kind === 'x' ? 0o755 : 0o644 }];
}

type WireFacts = readonly [string, number, 'x' | '-'] | null;

export function factsToWire(facts: FileFacts | undefined): [string, number, 'x' | '-'] | null {
  return facts === undefined ? null : [facts.hash, facts.size, facts.mode === 0o755 ? 'x' : '-'];
}

export function factsFromWire(facts: WireFacts): FileFacts | undefined {
  if (facts === null) return undefined;
  const [hash, size, kind] = facts;
  return factsOf({ hash, size, mode: kind === 'x' ? 0o755 : 0o644 });
}

export function changesToWire(
  id: string,
  changes: readonly FileChange[],
  base?: { readonly hash: string; readonly get: (path: string) => FileFacts | undefined },
): WireChanges {
  const wire: WireChanges = { protocol: protocolVersion, id, base: base?.hash, before: [], files: [], removed: [] };
  for (const { path, before, after } of changes) {
    if (base?.get(path)?.hash !== before?.hash || base?.get(path)?.mode !== before?.mode) {
      wire.before.push([path, factsToWire(before)]);
    }
    if (after === undefined) wire.removed.push(path);
    else wire.files.push(toWire(path, after));
  }
  return wire;
}
