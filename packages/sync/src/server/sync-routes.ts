import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type FileChange, type FileFacts, factsOf, isSameFile } from '../file-facts.ts';
import { checkPaths } from '../path-rules.ts';
import { isSyncError, SyncError } from '../sync-error.ts';
import { applyChanges } from '../tree/apply-changes.ts';
import { createContentStore, withNewFolders } from '../tree/content-store.ts';
import type { JournalEntry } from '../tree/journal.ts';
import { createNewFolders, type NewFolders } from '../tree/new-folders.ts';
import type { OpenTree } from '../tree/open-tree.ts';
import { treeHash } from '../tree/tree-hash.ts';
import { undoEntry } from '../tree/undo-entry.ts';
import {
  changesSchema,
  contentsSchema,
  factsFromWire,
  factsToWire,
  fromWire,
  protocolVersion,
  toWire,
  undoSchema,
  type WireApplied,
  type WireChanges,
  type WireTree,
} from '../wire/messages.ts';
import { receiveContents } from '../wire/receive-contents.ts';
import { packFrames } from '../wire/send-contents.ts';
import type { ServerContext } from './server-context.ts';
import { jsonAnswer } from './sync-answer.ts';

/** Uploads that nobody went on with for a day are forgotten. */
const staleMs = 24 * 60 * 60 * 1000;

/** The tree, or what in it is not as in the tree that the client knows. */
export async function answerTree(context: ServerContext, url: URL): Promise<Response> {
  const wanted = url.searchParams.get('base') ?? '';
  const answer = await context.withTree(async (tree): Promise<WireTree> => {
    const { files, skipped, changed } = await tree.scan();
    if (changed || context.treeHash === undefined) context.treeHash = treeHash(files);
    const hash = context.treeHash;
    const said = {
      protocol: protocolVersion as typeof protocolVersion,
      tree: hash,
      skipped: skipped.map((one) => ({ ...one })),
    };
    await context.knownTrees.add(hash, files);
    if (wanted === hash) return { ...said, base: hash, files: [], removed: [] };
    const base = /^[0-9a-f]{64}$/.test(wanted) ? await context.knownTrees.get(wanted) : undefined;
    const wire: WireTree = { ...said, files: [], removed: [] };
    for (const [path, facts] of files) {
      if (!isSameFile(base?.get(path), facts)) wire.files.push(toWire(path, facts));
    }
    if (base === undefined) return wire;
    for (const path of base.keys()) if (!files.has(path)) wire.removed.push(path);
    return { ...wire, base: wanted };
  });
  return jsonAnswer(answer);
}

/** Contents of files of the tree, as they are asked for. */
export async function answerContents(context: ServerContext, request: Request): Promise<Response> {
  const { contents: wanted } = await readJson(request, contentsSchema);
  const store = createContentStore(context.stateDirectory);
  const total = wanted.reduce((sum, { size }) => sum + size, 0);
  if (total > context.limits.maxBytes || wanted.length > context.limits.maxFiles) throw tooLarge(context);
  const found = await context.withTree(async (tree) => {
    const byHash = new Map(Array.from(tree.index, ([path, { hash }]) => [hash, path]));
    return wanted.map(({ hash, size, offset }) => {
      const path = byHash.get(hash);
      return { hash, size, offset, file: path === undefined ? store.find(hash) : join(tree.root, path) };
    });
  });
  const { body, type } = packFrames({ protocol: protocolVersion }, found);
  const headers = { 'content-type': type, 'cache-control': 'no-store' };
  if (body instanceof Readable) return new Response(Readable.toWeb(body) as ReadableStream<Uint8Array>, { headers });
  return new Response(body, { headers });
}

/** What has to be sent of the contents that a client is about to send. */
export async function answerMissing(context: ServerContext, request: Request): Promise<Response> {
  const { contents } = await readJson(request, contentsSchema);
  await createContentStore(context.stateDirectory).takeLeft();
  if (contents.length > context.limits.maxFiles) throw tooLarge(context);
  return jsonAnswer({ missing: await missingOf(context, new Map(contents.map((one) => [one.hash, one]))) });
}

async function missingOf(
  context: ServerContext,
  wanted: ReadonlyMap<string, Pick<FileFacts, 'hash' | 'size'>>,
): Promise<{ hash: string; offset: number }[]> {
  const store = createContentStore(context.stateDirectory);
  const missing: { hash: string; offset: number }[] = [];
  let byHash: Map<string, string> | undefined;
  for (const file of wanted.values()) {
    if (await store.has(file)) continue;
    // A file that was moved, or copied: its content is in the tree.
    byHash ??= new Map(Array.from(context.known?.files() ?? [], ([path, { hash }]) => [hash, path]));
    const path = byHash.get(file.hash);
    if (path !== undefined && (await store.copy(file, join(context.root, path)))) continue;
    missing.push({ hash: file.hash, offset: store.received(file.hash) });
  }
  return missing;
}

/** Changes of the tree and the contents that they need, in one stream. All are made, or none. */
export async function receiveChanges(context: ServerContext, request: Request): Promise<Response> {
  if (request.body === null) throw damaged('it is empty');
  let wire: WireChanges | undefined;
  let newFolders: NewFolders | undefined;
  const needed = new Map<string, FileFacts>();
  const store = createContentStore(context.stateDirectory);
  // Where a content goes is known once the header is.
  let target = store;
  await store.takeLeft();
  try {
    const { received } = await receiveContents(request.body, {
      contents: { ...store, put: (hash, content) => target.put(hash, content) },
      limits: context.limits,
      type: request.headers.get('content-type') ?? undefined,
      onHeader(header) {
        wire = parse(changesSchema, header);
        checkChanges(context, wire);
        const changes = wire.files.map(fromWire).map(([path, after]) => ({ path, after }));
        for (const { after } of changes) needed.set(after.hash, after);
        newFolders = createNewFolders(context.root, changes, store.fillingPath());
        target = withNewFolders(store, newFolders);
        return needed;
      },
    });
    if (wire === undefined) throw damaged('it says nothing');
    const said = wire;
    // What came just now was verified; what should be here from before is looked at.
    for (const hash of received) needed.delete(hash);
    return await context.withTree(async (tree) => {
      const missing = await missingOf(context, needed);
      if (missing.length > 0) return jsonAnswer({ missing }, 424);
      const changes = await changesOf(context, { wire: said, tree });
      context.treeHash = undefined;
      const entry = await applyChanges(tree, { id: said.id, changes, newFolders });
      store.clearIncoming(staleMs);
      tree.prune(context.keep);
      return jsonAnswer(await answerApplied(context, tree, { entry, asked: changes }));
    });
  } finally {
    // Of what came and was not used, another attempt need not send anything again.
    newFolders?.giveUp(store.adopt);
  }
}

/** Brings back what an earlier set of changes replaced, and takes away what it brought. */
export async function undoChanges(context: ServerContext, request: Request): Promise<Response> {
  const { id, of } = await readJson(request, undoSchema);
  const applied = await context.withTree(async (tree) => {
    context.treeHash = undefined;
    const entry = await tree.journal.get(of);
    if (entry === undefined) throw new SyncError('SP_SYNC_NOTHING_TO_UNDO', `There are no changes ${of}`);
    return answerApplied(context, tree, { entry: await undoEntry(tree, { id, entry }) });
  });
  return jsonAnswer(applied);
}

/** The answer; `asked` is what the client knows already. */
async function answerApplied(
  context: ServerContext,
  tree: OpenTree,
  { entry, asked }: { readonly entry: JournalEntry; readonly asked?: readonly FileChange[] },
): Promise<WireApplied> {
  tree.touch();
  context.treeHash = treeHash(tree.index);
  await context.knownTrees.add(context.treeHash, tree.index);
  const left = [...entry.left];
  const said = { tree: context.treeHash, left };
  const asAsked = new Map(asked?.map(({ path, after }) => [path, after]));
  const isAsAsked = ({ path, after }: FileChange): boolean => asAsked.has(path) && isSameFile(asAsked.get(path), after);
  if (left.length === 0 && entry.changes.length === asAsked.size && entry.changes.every(isAsAsked)) return said;
  return { ...said, changes: entry.changes.map(({ path, after }) => [path, factsToWire(after)]) };
}

function checkChanges({ limits }: ServerContext, { files, removed, before }: WireChanges): void {
  const { maxFiles, maxBytes, maxFileBytes } = limits;
  let total = 0;
  for (const [, { size }] of files.map(fromWire)) {
    total += size;
    if (size > maxFileBytes)
      throw new SyncError('SP_SYNC_TOO_LARGE', `Cannot sync: a file has more than ${maxFileBytes} bytes`);
  }
  if (total > maxBytes || files.length + removed.length + before.length > maxFiles * 2) {
    throw new SyncError(
      'SP_SYNC_TOO_LARGE',
      `Cannot sync: more than ${maxBytes} bytes or ${maxFiles} files are announced`,
    );
  }
  // Removed first: a folder may come where a file goes.
  checkPaths(removed);
  checkPaths(files.map(([path]) => path));
}

async function changesOf(
  { knownTrees, treeHash: current }: ServerContext,
  { wire, tree }: { readonly wire: WireChanges; readonly tree: OpenTree },
): Promise<readonly FileChange[]> {
  const read = async (hash: string) => (hash === current ? tree.index : await knownTrees.get(hash));
  const base = wire.base === undefined ? undefined : await read(wire.base);
  if (wire.base !== undefined && base === undefined) {
    throw new SyncError('SP_SYNC_MOVED', `The tree ${wire.base} is not known any more`, { retryable: true });
  }
  const before = new Map(wire.before);
  const beforeOf = (path: string): FileFacts | undefined =>
    before.has(path) ? factsFromWire(before.get(path) ?? null) : pick(base?.get(path));
  return [
    ...wire.removed.map((path) => ({ path, before: beforeOf(path), after: undefined })),
    ...wire.files.map(fromWire).map(([path, after]) => ({ path, before: beforeOf(path), after })),
  ];
}

function pick(file: FileFacts | undefined): FileFacts | undefined {
  return file === undefined ? undefined : factsOf(file);
}

async function readJson<T>(request: Request, schema: { parse(value: unknown): T }): Promise<T> {
  const maxBytes = 64 * 1024 * 1024;
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (request.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    length += part.byteLength;
    if (length > maxBytes) throw new SyncError('SP_SYNC_TOO_LARGE', `The request has more than ${maxBytes} bytes`);
    parts.push(part);
  }
  try {
    return parse(schema, JSON.parse(Buffer.concat(parts).toString('utf8')));
  } catch (error) {
    throw isSyncError(error) ? error : damaged('it is no JSON');
  }
}

function parse<T>(schema: { parse(value: unknown): T }, value: unknown): T {
  try {
    return schema.parse(value);
  } catch {
    throw damaged('it is not in the form that was agreed');
  }
}

function damaged(why: string): SyncError {
  return new SyncError('SP_SYNC_DAMAGED', `The request is damaged: ${why}`);
}

function tooLarge({ limits }: ServerContext): SyncError {
  return new SyncError(
    'SP_SYNC_TOO_LARGE',
    `Cannot send more than ${limits.maxBytes} bytes or ${limits.maxFiles} files`,
  );
}
