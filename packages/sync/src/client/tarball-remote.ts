import { type FileChange, type FileFacts, isSameFile } from '../file-facts.ts';
import type { Limits } from '../limits.ts';
import { SyncError } from '../sync-error.ts';
import type { ContentStore } from '../tree/content-store.ts';
import { treeHash } from '../tree/tree-hash.ts';
import type { ContentToSend } from '../wire/send-contents.ts';
import { packTarball, unpackTarball } from '../wire/tarball.ts';
import type { RemoteApplied, RemoteFiles, RemoteTree } from './remote-tree.ts';
import { type SyncRequest, textOf } from './sync-request.ts';

const path = '/api/v1/sync/files';

/** The first folders that the predecessor's server takes; one file of another aborts its whole upload. */
const accepted: ReadonlySet<string> = new Set(['agents', 'skills', 'content', 'mcp', 'ai', 'config', 'profiles']);

/** What of the local tree such a tenant can have at all. */
function tarballCarries(file: string): boolean {
  return file.includes('/') && accepted.has(file.split('/', 1)[0] ?? '');
}

/** The tenant's tree by a download of all of it; its contents are staged on the way. */
export async function readTarballTree(
  request: SyncRequest,
  {
    contents,
    limits,
    known,
  }: { readonly contents: ContentStore; readonly limits: Limits; readonly known: string | undefined },
): Promise<RemoteFiles> {
  const files = await request({ method: 'GET', path }, (response) =>
    unpackTarball(response.body, { contents, limits }),
  );
  const tree = treeHash(files);
  return { tree, files: new Map(files), skipped: [], changed: tree !== known };
}

/**
 * A tenant that knows the predecessor's protocol only: whole tarballs down, tarballs of what changed up, no deletions, and
 * nobody who looks whether a file changed meanwhile: so everything is downloaded once more before it is written over.
 */
export function createTarballRemote(request: SyncRequest, limits: Limits): RemoteTree {
  const refusal = ({ path: file, after }: FileChange): string | undefined => {
    if (after === undefined) return 'the tenant cannot delete files';
    return tarballCarries(file) ? undefined : 'the tenant does not take files of this folder';
  };
  const upload = async (
    changes: readonly FileChange[],
    sourceOf: (change: FileChange) => Pick<ContentToSend, 'file'> | undefined,
  ): Promise<RemoteApplied> => {
    const files = changes.flatMap((change) => {
      const file = sourceOf(change)?.file;
      return change.after === undefined || file === undefined ? [] : [{ path: change.path, ...change.after, file }];
    });
    const left = changes.filter(({ path: file }) => !files.some((one) => one.path === file)).map((one) => one.path);
    if (files.length > 0) {
      const body = () => packTarball(files);
      await request({ method: 'POST', path, body, type: () => 'application/octet-stream' }, textOf);
    }
    return { left, changes: new Map(files.map(({ path: file, hash, size, mode }) => [file, { hash, size, mode }])) };
  };
  return {
    protocol: 'tarball',
    refusal,
    async fetch(files, contents) {
      const missing: FileFacts[] = [];
      for (const file of files) if (!(await contents.has(file))) missing.push(file);
      if (missing.length === 0) return;
      await readTarballTree(request, { contents, limits, known: undefined });
      if (missing.every(({ hash }) => contents.find(hash) !== undefined)) return;
      const message = `Cannot get ${missing.length} contents: the tenant's files changed meanwhile`;
      throw new SyncError('SP_SYNC_MOVED', message, { retryable: true });
    },
    async apply(changes, { sourceOf, contents, recorded }) {
      await recorded;
      if (changes.length === 0) return { left: [], changes: new Map() };
      const { files } = await readTarballTree(request, { contents, limits, known: undefined });
      const moved = changes.filter(({ path: file, before, after }) => {
        return !isSameFile(files.get(file), before) && !isSameFile(files.get(file), after);
      });
      if (moved.length > 0) {
        const paths = moved.map((change) => change.path);
        const message = `Cannot change the tenant's files: ${paths.length} of them changed meanwhile, ${paths[0]} for one`;
        throw new SyncError('SP_SYNC_MOVED', message, { paths, retryable: true });
      }
      // The tenant keeps nothing of what it had, so it is kept here.
      for (const { before } of changes) if (before !== undefined) contents.keepStaged(before.hash);
      return upload(changes, sourceOf);
    },
    undo({ changes, contents }) {
      return upload(
        changes.filter((change) => refusal(change) === undefined),
        ({ after }) => (after === undefined ? undefined : { file: contents.find(after.hash) }),
      ).then((applied) => {
        const refused = changes.filter((change) => refusal(change) !== undefined).map((change) => change.path);
        return { ...applied, left: [...applied.left, ...refused] };
      });
    },
  };
}
