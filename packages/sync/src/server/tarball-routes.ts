import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type FileChange, type FileFacts, isSameFile, type Manifest } from '../file-facts.ts';
import { SyncError } from '../sync-error.ts';
import { applyChanges } from '../tree/apply-changes.ts';
import { createContentStore } from '../tree/content-store.ts';
import { currentFacts } from '../tree/tree-paths.ts';
import { maxTarballBytes, packTarball, unpackTarball } from '../wire/tarball.ts';
import type { ServerContext } from './server-context.ts';
import { jsonAnswer } from './sync-answer.ts';

/** The predecessor's download: the whole tree, or the folders in `filter`, as a gzip tarball. */
export async function sendTarball(context: ServerContext, url: URL): Promise<Response> {
  const files = await scanned(context, url);
  if (url.searchParams.get('dry_run') === 'true') return jsonAnswer(manifestOf(files));
  const list = Array.from(files, ([path, facts]) => ({ path, ...facts, file: join(context.root, path) }));
  return new Response(Readable.toWeb(packTarball(list)) as ReadableStream<Uint8Array>, {
    headers: {
      'content-type': 'application/gzip',
      'content-disposition': 'attachment; filename="files.tar.gz"',
      'cache-control': 'no-store',
    },
  });
}

/** What the tarball would hold. */
export async function sendManifest(context: ServerContext, url: URL): Promise<Response> {
  return jsonAnswer(manifestOf(await scanned(context, url)));
}

/** The predecessor's upload: files of a gzip tarball over the tree. Refused whole when one of them is unsafe. */
export async function receiveTarball(
  context: ServerContext,
  { request, url }: { readonly request: Request; readonly url: URL },
): Promise<Response> {
  const { stateDirectory, limits } = context;
  const contents = createContentStore(stateDirectory);
  const maxBytes = Math.min(limits.maxBytes, 8 * maxTarballBytes);
  const files = await unpackTarball(atMost(request.body), { contents, limits: { ...limits, maxBytes } });
  const uploadedAt = new Date().toISOString();
  if (url.searchParams.get('dry_run') === 'true') {
    return jsonAnswer({ files_uploaded: 0, uploaded_at: uploadedAt, manifest: manifestOf(files) });
  }
  await context.withTree(async (tree) => {
    const changes: FileChange[] = [];
    for (const [path, after] of files) {
      const before = await currentFacts(tree, path);
      if (!isSameFile(before, after)) changes.push({ path, before, after });
    }
    // Like every other change: what is replaced is kept.
    if (changes.length > 0) await applyChanges(tree, { id: randomUUID(), changes });
    tree.touch();
    tree.prune(context.keep);
    context.treeHash = undefined;
  });
  return jsonAnswer({ files_uploaded: files.size, uploaded_at: uploadedAt });
}

async function scanned(context: ServerContext, url: URL): Promise<Manifest> {
  const filter = (url.searchParams.get('filter') ?? '').split(',').filter((name) => name !== '');
  // A copy: the next request may change the tree while this one is answered.
  const files = await context.withTree(async (tree) => new Map((await tree.scan()).files));
  context.treeHash = undefined;
  if (filter.length === 0) return files;
  return new Map(Array.from(files).filter(([path]) => filter.includes(path.split('/', 1)[0] ?? '')));
}

/** As the predecessor says it. */
function manifestOf(files: ReadonlyMap<string, FileFacts>): object {
  const list = Array.from(files, ([path, { hash, size }]) => ({ path, checksum: hash, size }));
  const checksum = createHash('sha256')
    .update(list.map((file) => file.checksum).join(''))
    .digest('hex');
  const total = list.reduce((sum, { size }) => sum + size, 0);
  return { files: list, timestamp: new Date().toISOString(), checksum, total_size: total };
}

async function* atMost(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  let received = 0;
  for await (const piece of (body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    received += piece.byteLength;
    if (received > maxTarballBytes) {
      throw new SyncError('SP_SYNC_TOO_LARGE', `The tarball has more than ${maxTarballBytes} bytes`);
    }
    yield piece;
  }
}
