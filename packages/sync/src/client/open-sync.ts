import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Manifest } from '../file-facts.ts';
import { type Limits, withDefaults } from '../limits.ts';
import { defaultIgnore, type SyncOptions } from '../sync-options.ts';
import { type OpenTree, openTree } from '../tree/open-tree.ts';
import type { ScannedTree } from '../tree/scan-tree.ts';
import { baseOfMark, differingPaths, isMarkOf, markOf } from './base-mark.ts';
import { askTree, createManifestRemote, readTree } from './manifest-remote.ts';
import type { RemoteFiles, RemoteTree } from './remote-tree.ts';
import { shippedTrees } from './shipped-trees.ts';
import { loadBase, peekBase, type SyncBase, saveBase } from './sync-base.ts';
import { createSyncRequest, type SyncRequest } from './sync-request.ts';
import { createTarballRemote, readTarballTree } from './tarball-remote.ts';

/** A project's tree, its tenant, and what they agreed on. */
export interface OpenSync {
  readonly tree: OpenTree;
  readonly limits: Limits;
  /** By `Date.now()`. */
  readonly openedAt: number;
  readonly request: SyncRequest;
  /** What both agreed on last; read once. */
  loadBase(): Promise<SyncBase | undefined>;
  saveBase(base: SyncBase): Promise<void>;
  /** The trees that this project shipped, see `rememberShipped`. */
  loadShipped(): Promise<readonly Manifest[]>;
  readonly isIgnored: (path: string) => boolean;
  /** Both sides as they are now, looked at at the same time. */
  look(): Promise<SeenSides>;
  /** Writes down how this side differs from what is agreed on now, so that the next look is a shorter one. */
  settle(base: SyncBase): void;
  /** Hash of the tenant's tree that was agreed on last. */
  agreedTree(): Promise<string | undefined>;
  remoteFor(protocol: RemoteTree['protocol']): RemoteTree;
}

/** What a look at both sides found. */
export interface SeenSides {
  readonly local: ScannedTree;
  readonly remote: RemoteTree;
  /** The only paths that may differ, when that is known without a look at what was agreed on. */
  readonly only: ReadonlySet<string> | undefined;
  /** The tenant's files, told from what was agreed on. */
  remoteFiles(base: SyncBase | undefined): Promise<RemoteFiles>;
}

/** Opens a project for the time of some work with it; with `looks`, the tenant is asked for its tree meanwhile. */
export async function withSync<T>(
  options: SyncOptions,
  work: (sync: OpenSync) => Promise<T>,
  { looks = false }: { readonly looks?: boolean } = {},
): Promise<T> {
  const { root, stateDirectory, signal } = options;
  const limits = withDefaults(options.limits);
  const openedAt = Date.now();
  const patterns = options.ignore ?? defaultIgnore;
  const isIgnored = await createIgnored(patterns);
  const ignored = JSON.stringify(patterns);
  const request = createSyncRequest(options);
  const basePath = join(stateDirectory, 'base');
  const early = looks ? askEarly(options, peekBase(basePath)?.tree) : undefined;
  const tree = await openTree({ root, stateDirectory, limits, signal }).catch((error: unknown) => {
    early?.giveUp();
    throw error;
  });
  const remoteFor = (protocol: RemoteTree['protocol']): RemoteTree =>
    protocol === 'manifest'
      ? createManifestRemote(request, { limits, onEvent: options.onEvent })
      : createTarballRemote(request, limits);
  let base: Promise<SyncBase | undefined> | undefined;
  try {
    return await work({
      tree,
      limits,
      openedAt,
      request,
      loadBase: () => (base ??= loadBase(basePath)),
      async saveBase(next) {
        base = undefined;
        await saveBase(basePath, next);
        base = Promise.resolve(next);
      },
      settle(agreed) {
        const mark = markOf(tree.index, agreed, ignored);
        if (mark !== undefined && !isDeepStrictEqual(mark, tree.mark)) tree.setMark(mark);
      },
      agreedTree: async () => peekBase(basePath)?.tree ?? (await loadBase(basePath))?.tree,
      loadShipped: () => shippedTrees(stateDirectory).all(),
      isIgnored,
      remoteFor,
      async look() {
        const head = peekBase(basePath);
        const mark = isMarkOf(tree.mark, { head, ignored }) ? tree.mark : undefined;
        // Another process may have synced between the question and the lock: then it was about another tree.
        const isAsked = early !== undefined && early.base === head?.tree;
        const asked = isAsked ? early.answer : askTree(request, head?.tree);
        // While the tenant looks at its files, this side looks at its own.
        const [local, wire] = await Promise.all([tree.scan({ isIgnored, ignored }), asked]);
        if (wire === undefined) {
          const contents = tree.contents;
          const read = await readTarballTree(request, { contents, limits, known: head?.tree });
          return { local, remote: remoteFor('tarball'), only: undefined, remoteFiles: async () => read };
        }
        const isShort =
          mark !== undefined &&
          [wire.tree, wire.base].every((hash) => hash === mark.tree) &&
          local.skipped.length + wire.skipped.length === 0;
        const only = isShort ? differingPaths(mark, local, isIgnored) : undefined;
        if (isShort && only?.size !== 0) base = Promise.resolve(baseOfMark(mark, local));
        return {
          local,
          remote: remoteFor('manifest'),
          only,
          async remoteFiles(agreed) {
            const known = agreed === undefined ? undefined : { tree: agreed.tree, files: agreed.remote };
            return readTree(wire, known, limits);
          },
        };
      },
    });
  } finally {
    early?.giveUp();
    await tree.close();
  }
}

/** The question for the tenant's tree, sent before this side is locked and read: the tenant takes as long as this side. */
function askEarly(options: SyncOptions, base: string | undefined) {
  const controller = new AbortController();
  const signal =
    options.signal === undefined ? controller.signal : AbortSignal.any([options.signal, controller.signal]);
  const answer = askTree(createSyncRequest({ ...options, signal }), base);
  // Whoever needs the answer hears of a failure; nobody else does.
  answer.catch(() => {});
  return { base, answer, giveUp: () => controller.abort() };
}

export async function createIgnored(patterns: readonly string[]): Promise<(path: string) => boolean> {
  const top = patterns.map((pattern) => /^\/([^*?[\]!\\/]+)\/$/.exec(pattern)?.[1]);
  if (top.every((name) => name !== undefined)) {
    // Whole folders at the top, as by default: their rules need no machinery.
    const names = new Set(top);
    return (path) => path.includes('/') && names.has(path.slice(0, path.indexOf('/')));
  }
  // Loaded here: it takes as long as looking at some thousand files.
  const { default: ignore } = await import('ignore');
  const rules = ignore().add([...patterns]);
  return (path) => rules.ignores(path);
}
