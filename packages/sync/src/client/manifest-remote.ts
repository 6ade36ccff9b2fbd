import type { FileChange, FileFacts } from '../file-facts.ts';
import type { Limits } from '../limits.ts';
import { checkPaths } from '../path-rules.ts';
import { isSyncError, SyncError } from '../sync-error.ts';
import type { SyncOptions } from '../sync-options.ts';
import { treeHash } from '../tree/tree-hash.ts';
import {
  appliedSchema,
  blockStreamType,
  changesToWire,
  factsFromWire,
  fromWire,
  missingSchema,
  streamType,
  treeSchema,
  type WireTree,
} from '../wire/messages.ts';
import { receiveContents } from '../wire/receive-contents.ts';
import { type ContentToSend, packFrames } from '../wire/send-contents.ts';
import type { KnownRemote, RemoteApplied, RemoteFiles, RemoteTree } from './remote-tree.ts';
import { type SyncRequest, textOf } from './sync-request.ts';
import type { SyncBody, SyncResponse } from './sync-transport.ts';

const prefix = '/api/v1/sync';

const json = (): string => 'application/json';

/** Asks the tenant for its tree, as differences to `base`; `undefined` when it does not speak this package's protocol. */
export function askTree(request: SyncRequest, base: string | undefined): Promise<WireTree | undefined> {
  const query = base === undefined ? '' : `?base=${base}`;
  const call = { method: 'GET' as const, path: `${prefix}/tree${query}`, expected: [200, 404, 405, 501] };
  return request(call, async (response) => {
    const isJson = response.header('content-type')?.startsWith('application/json') === true;
    if (response.status !== 200 || !isJson) {
      // To its end, so that the connection can be used again.
      for await (const _ of response.body);
      return undefined;
    }
    const text = await textOf(response);
    if (!text.includes('"protocol"')) return undefined;
    try {
      return treeSchema.parse(JSON.parse(text));
    } catch {
      throw damaged('it is not in the form that was agreed');
    }
  });
}

/** The tenant's tree that an answer is about. */
export function readTree(wire: WireTree, known: KnownRemote | undefined, limits: Limits): RemoteFiles {
  if (wire.files.length > limits.maxFiles) {
    throw new SyncError('SP_SYNC_TOO_LARGE', `Tenant has more than ${limits.maxFiles} files`);
  }
  const { tree, skipped } = wire;
  const base = wire.base === undefined ? undefined : wire.base === known?.tree ? known : undefined;
  if (wire.base !== undefined && base === undefined) throw damaged('it is about a tree that nobody asked for');
  if (wire.base === tree && base !== undefined) {
    return { tree, files: base.files as Map<string, FileFacts>, skipped, changed: false };
  }
  const files = new Map<string, FileFacts>(base?.files);
  for (const path of wire.removed) files.delete(path);
  for (const [path, facts] of wire.files.map(fromWire)) files.set(path, facts);
  // What was known was checked when it came; twins of it are seen only together.
  checkPaths(files.keys());
  if (treeHash(files) !== tree) throw damaged('its hash is another');
  return { tree, files, skipped, changed: true };
}

export function createManifestRemote(
  request: SyncRequest,
  { limits, onEvent }: Pick<SyncOptions, 'onEvent'> & { readonly limits: Limits },
): RemoteTree {
  /** What the tenant says that it did: `asked`, when it says nothing of it. */
  const applied = async (response: SyncResponse, asked: readonly FileChange[] = []): Promise<RemoteApplied> => {
    const { tree, changes, left } = parse(appliedSchema, await textOf(response));
    const done =
      changes?.map(([path, facts]) => [path, factsFromWire(facts)] as const) ??
      asked.map(({ path, after }) => [path, after] as const);
    return { tree, left, changes: new Map(done) };
  };
  return {
    protocol: 'manifest',
    refusal: () => undefined,
    async fetch(files, contents) {
      const wanted = new Map(files.map((file) => [file.hash, file]));
      const total = files.reduce((sum, { size }) => sum + size, 0);
      let received = 0;
      const gone = new Set<string>();
      const body = async (): Promise<string> => {
        const list = [];
        for (const file of wanted.values()) {
          const { hash, size } = file;
          if (gone.has(hash) || (await contents.has(file))) continue;
          const offset = contents.received(hash);
          list.push({ hash, size, ...(offset === 0 ? {} : { offset }) });
        }
        return JSON.stringify({ contents: list });
      };
      // What came stays, so an attempt after a broken one asks for the rest only.
      await request({ method: 'POST', path: `${prefix}/contents`, body, type: json }, async (response) => {
        const type = response.header('content-type');
        if (type !== streamType && type !== blockStreamType) throw damaged('it is of another type');
        const { gone: lost } = await receiveContents(response.body, {
          contents,
          limits,
          type,
          onHeader: () => wanted,
          onReceived(bytes) {
            received += bytes;
            onEvent?.({ type: 'download-progress', bytes: Math.min(received, total), total });
          },
        });
        for (const hash of lost) gone.add(hash);
      });
      const missing: string[] = [];
      for (const { hash } of wanted.values()) if (contents.find(hash) === undefined) missing.push(hash);
      if (missing.length > 0) {
        const message = `Cannot get ${missing.length} contents: the tenant's files changed meanwhile`;
        throw new SyncError('SP_SYNC_MOVED', message, { retryable: true });
      }
    },
    async apply(changes, { id, tree, has, sourceOf, recorded }) {
      // A failure is thrown when a body is made; until then it is nobody's.
      recorded.catch(() => {});
      const before = new Map(changes.map((change) => [change.path, change.before]));
      const wire = changesToWire(id, changes, { hash: tree, get: (path) => before.get(path) });
      const contents = new Map<string, ContentToSend>();
      for (const change of changes) {
        const { after } = change;
        if (after === undefined) continue;
        const { hash, size } = after;
        contents.set(hash, { file: undefined, ...sourceOf(change), hash, size });
      }
      let toSend = Array.from(contents.values()).filter(({ hash }) => !has.has(hash));
      const ask = async (): Promise<void> => {
        const body = JSON.stringify({ contents: Array.from(contents.values(), ({ hash, size }) => ({ hash, size })) });
        const call = { method: 'POST' as const, path: `${prefix}/missing`, body: () => body, type: json };
        select((await request(call, async (response) => parse(missingSchema, await textOf(response)))).missing);
      };
      const select = (missing: readonly { readonly hash: string; readonly offset: number }[]): void => {
        toSend = missing.flatMap(({ hash, offset }) => {
          const content = contents.get(hash);
          return content === undefined ? [] : [{ ...content, offset }];
        });
      };
      onEvent?.({
        type: 'upload-started',
        files: changes.length,
        bytes: toSend.reduce((sum, { size }) => sum + size, 0),
      });
      for (let round = 0; ; round += 1) {
        let attempt = 0;
        let type = streamType;
        const body = async (): Promise<SyncBody> => {
          // A connection that broke: what arrived by it is there.
          if (attempt > 0) await ask();
          attempt += 1;
          const packed = packFrames(wire, toSend);
          type = packed.type;
          // The record is on its way to the disk while the contents are packed.
          await recorded;
          return packed.body;
        };
        const call = {
          method: 'POST' as const,
          path: `${prefix}/changes`,
          body,
          type: () => type,
          expected: [200, 424],
        };
        const result = await request(call, async (response) => {
          if (response.status === 200) return await applied(response, changes);
          return parse(missingSchema, await textOf(response)).missing;
        });
        if (!isMissing(result)) return result;
        if (round === 3)
          throw new SyncError('SP_SYNC_MOVED', 'Cannot send files: they change while they are read', {
            retryable: true,
          });
        select(result);
      }
    },
    async undo({ id, of }) {
      const body = (): string => JSON.stringify({ id, of });
      try {
        return await request({ method: 'POST', path: `${prefix}/undo`, body, type: json }, (response) =>
          applied(response),
        );
      } catch (error) {
        if (isSyncError(error) && error.code === 'SP_SYNC_NOTHING_TO_UNDO') return undefined;
        throw error;
      }
    },
  };
}

function isMissing(result: RemoteApplied | readonly unknown[]): result is readonly { hash: string; offset: number }[] {
  return Array.isArray(result);
}

function parse<T>(schema: { parse(value: unknown): T }, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw damaged('it is not in the form that was agreed');
  }
}

function damaged(why: string): SyncError {
  return new SyncError('SP_SYNC_DAMAGED', `The tenant's answer is damaged: ${why}`, { retryable: true });
}
