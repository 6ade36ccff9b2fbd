import { join } from 'node:path';
import { type SyncLimits, withDefaults } from '../limits.ts';
import { type SyncRetention, withRetention } from '../retention.ts';
import { createKnownTrees } from '../tree/known-trees.ts';
import { type OpenTree, openTree } from '../tree/open-tree.ts';
import type { ServerContext } from './server-context.ts';
import { isAuthorized } from './sync-access.ts';
import { failureAnswer, refusal } from './sync-answer.ts';
import { answerContents, answerMissing, answerTree, receiveChanges, undoChanges } from './sync-routes.ts';
import { receiveTarball, sendManifest, sendTarball } from './tarball-routes.ts';

/** Options of {@link createSyncHandler}. */
export interface SyncHandlerOptions {
  /** The folder whose files are synced; made when something comes. */
  readonly root: string;
  /** What clients have to know. Without one, nobody gets in. A function is called for every request. */
  readonly token: string | undefined | (() => string | undefined);
  /**
   * Where snapshots, and what is on its way, are kept; on the same disk as `root`.
   *
   * @defaultValue `.systemprompt/sync` in `root`
   */
  readonly stateDirectory?: string | undefined;
  /** Path below which the handler answers. @defaultValue '/api/v1/sync' */
  readonly prefix?: string | undefined;
  /** More than that is refused. */
  readonly limits?: SyncLimits | undefined;
  /** How long is kept what syncs replace and delete. @defaultValue 20 syncs and 30 days */
  readonly keep?: SyncRetention | undefined;
  /** Called with what went wrong on this computer; the client learns only that something did. @defaultValue nothing */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * The tenant's half of sync, as a web-standard handler: this package's protocol and the predecessor's tarballs.
 *
 * @example
 * const handler = createSyncHandler({ root: '/app/services', token: process.env.SYNC_TOKEN });
 * // in a server: if (url.pathname.startsWith('/api/v1/sync/')) return handler(request);
 */
export function createSyncHandler(options: SyncHandlerOptions): (request: Request) => Promise<Response> {
  const { root, prefix = '/api/v1/sync', onError = () => {} } = options;
  const stateDirectory = options.stateDirectory ?? join(root, '.systemprompt', 'sync');
  const limits = withDefaults(options.limits);
  // One at a time: what one request knows of the files, the next one need not find out.
  let last: Promise<unknown> = Promise.resolve();
  const context: ServerContext = {
    root,
    stateDirectory,
    limits,
    keep: withRetention(options.keep),
    knownTrees: createKnownTrees(join(stateDirectory, 'trees')),
    withTree<T>(work: (tree: OpenTree) => Promise<T>): Promise<T> {
      const run = async (): Promise<T> => {
        const tree = await openTree({ root, stateDirectory, limits, known: context.known });
        context.known = tree.known;
        if (tree.recovered) context.treeHash = undefined;
        try {
          return await work(tree);
        } catch (error) {
          // The index may be ahead of it.
          context.treeHash = undefined;
          throw error;
        } finally {
          await tree.close();
        }
      };
      const result = last.then(run, run);
      last = result.catch(() => {});
      return result;
    },
  };

  return async (request) => {
    const url = new URL(request.url);
    const token = typeof options.token === 'function' ? options.token() : options.token;
    if (!isAuthorized(request, token)) return refusal(401, 'unauthorized', 'A valid sync token is required.');
    const route = url.pathname.startsWith(`${prefix}/`) ? url.pathname.slice(prefix.length + 1) : '';
    try {
      switch (`${request.method} ${route}`) {
        case 'GET tree':
          return await answerTree(context, url);
        case 'POST contents':
          return await answerContents(context, request);
        case 'POST missing':
          return await answerMissing(context, request);
        case 'POST changes':
          return await receiveChanges(context, request);
        case 'POST undo':
          return await undoChanges(context, request);
        case 'GET files':
          return await sendTarball(context, url);
        case 'GET files/manifest':
          return await sendManifest(context, url);
        case 'POST files':
          return await receiveTarball(context, { request, url });
        default:
          return refusal(404, 'not_found', 'There is no such endpoint.');
      }
    } catch (error) {
      return failureAnswer(error, onError);
    } finally {
      // What was refused before it was read.
      if (request.body !== null && !request.bodyUsed) await request.body.cancel().catch(() => {});
    }
  };
}
