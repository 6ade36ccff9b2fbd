import { join } from 'node:path';
import { type Limits, withDefaults } from '../limits.ts';
import { defaultIgnore, type SyncOptions } from '../sync-options.ts';
import { type OpenTree, openTree } from '../tree/open-tree.ts';
import type { ScannedTree } from '../tree/scan-tree.ts';
import { createManifestRemote, readManifestTree } from './manifest-remote.ts';
import type { RemoteFiles, RemoteTree } from './remote-tree.ts';
import { loadBase, type SyncBase, saveBase } from './sync-base.ts';
import { createSyncRequest, type SyncRequest } from './sync-request.ts';
import { createTarballRemote, readTarballTree } from './tarball-remote.ts';

/** A project's tree, its tenant, and what they agreed on. */
export interface OpenSync {
  readonly tree: OpenTree;
  readonly limits: Limits;
  readonly request: SyncRequest;
  /** What both agreed on last; read once. */
  loadBase(): Promise<SyncBase | undefined>;
  saveBase(base: SyncBase): Promise<void>;
  readonly isIgnored: (path: string) => boolean;
  /** Both sides as they are now, looked at at the same time. */
  look(base: SyncBase | undefined): Promise<{
    readonly local: ScannedTree;
    readonly remoteFiles: RemoteFiles;
    readonly remote: RemoteTree;
  }>;
  remoteFor(protocol: RemoteTree['protocol']): RemoteTree;
}

/** Opens a project for the time of some work with it. */
export async function withSync<T>(options: SyncOptions, work: (sync: OpenSync) => Promise<T>): Promise<T> {
  const { root, stateDirectory, signal } = options;
  const limits = withDefaults(options.limits);
  const isIgnored = await createIgnored(options.ignore ?? defaultIgnore);
  const request = createSyncRequest(options);
  const tree = await openTree({ root, stateDirectory, limits, signal });
  const remoteFor = (protocol: RemoteTree['protocol']): RemoteTree =>
    protocol === 'manifest'
      ? createManifestRemote(request, { limits, onEvent: options.onEvent })
      : createTarballRemote(request, limits);
  const basePath = join(stateDirectory, 'base');
  let base: Promise<SyncBase | undefined> | undefined;
  try {
    return await work({
      tree,
      limits,
      request,
      loadBase: () => (base ??= loadBase(basePath)),
      async saveBase(next) {
        base = undefined;
        await saveBase(basePath, next);
        base = Promise.resolve(next);
      },
      isIgnored,
      remoteFor,
      async look(agreed) {
        const known = agreed === undefined ? undefined : { tree: agreed.tree, files: agreed.remote };
        const asked = readManifestTree(request, known, limits);
        // While the tenant looks at its files, this side looks at its own.
        const [local, answer] = await Promise.all([tree.scan(isIgnored), asked]);
        if (answer !== undefined) return { local, remoteFiles: answer, remote: remoteFor('manifest') };
        const contents = tree.contents;
        const remoteFiles = await readTarballTree(request, { contents, limits, known: agreed?.tree });
        return { local, remoteFiles, remote: remoteFor('tarball') };
      },
    });
  } finally {
    await tree.close();
  }
}

async function createIgnored(patterns: readonly string[]): Promise<(path: string) => boolean> {
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
