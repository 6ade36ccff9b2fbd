import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileFacts } from '../file-facts.ts';
import { SyncError, systemCode } from '../sync-error.ts';
import { hashFile } from './hash-file.ts';
import { fillingName, takeLeftFolders } from './left-folders.ts';
import type { NewFolders } from './new-folders.ts';

/**
 * Contents by their hashes, on the same disk as the tree: `incoming` on its way into it, `kept` of what was replaced or
 * deleted. What is in `kept` is never deleted.
 */
export interface ContentStore {
  /** Whether the content is here, complete and undamaged. */
  has(file: Pick<FileFacts, 'hash' | 'size'>): Promise<boolean>;
  /** Bytes of a large content that arrived before the connection broke. */
  received(hash: string): number;
  /** Stores a small content; that it has this hash was seen by whoever calls. */
  put(hash: string, content: Uint8Array): void;
  /** Stores a large content piece by piece, from where it was left. */
  open(file: Pick<FileFacts, 'hash' | 'size'>): Promise<IncomingContent>;
  /** Where a content is; `undefined` when it is not here. */
  find(hash: string): string | undefined;
  /**
   * Puts an incoming content where no file is, if that takes no copy: whatever else is there by then stays.
   *
   * @throws an error with `code` `EEXIST` when something is there
   */
  place(file: FileFacts, target: string): boolean;
  /** Takes an incoming content out; a content that is kept, too, or needed again, is copied. */
  take(file: FileFacts, target: string, options: { readonly isLast: boolean }): void;
  /** Gives the file at `path` a second name beside those that are kept. */
  keep(path: string, hash: string): string;
  /** Where a content is, or would be, when it is kept; and where, as long as that is not sure. */
  keptPath(hash: string): string;
  keepingPath(hash: string): string;
  /** Where a content is, or would be, on its way into the tree. */
  incomingPath(hash: string): string;
  /** Takes a content out of a file of the same disk, if it is there as it should be. */
  copy(file: Pick<FileFacts, 'hash' | 'size'>, path: string): Promise<boolean>;
  /** Takes a file that is that content, whole, out of where it is. */
  adopt(path: string, hash: string): void;
  /** Where folders are filled before they are moved into the tree. */
  fillingPath(): string;
  /** Takes what a killed process had filled. */
  takeLeft(): Promise<void>;
  /** Keeps a content that came. */
  keepStaged(hash: string): void;
  /** Forgets a part of a large content. */
  drop(hash: string): void;
  /** Forgets what came and was not used for so long. */
  clearIncoming(olderThanMs: number): void;
}

/** The same store, with contents that belong into new folders written there. */
export function withNewFolders(store: ContentStore, folders: NewFolders | undefined): ContentStore {
  if (folders === undefined) return store;
  return {
    ...store,
    put(hash, content) {
      if (!folders.put(hash, content)) store.put(hash, content);
    },
    has: async (file) => folders.find(file.hash) !== undefined || store.has(file),
    find: (hash) => store.find(hash) ?? folders.find(hash),
  };
}

/** A content that is arriving. */
export interface IncomingContent {
  write(piece: Uint8Array): Promise<void>;
  /** @throws {@link SyncError} `SP_SYNC_DAMAGED`: what came is thrown away */
  finish(): Promise<void>;
  /** Leaves what came for another attempt. */
  leave(): Promise<void>;
}

/** Opens, and makes, the store in a folder. */
export function createContentStore(directory: string): ContentStore {
  const incoming = join(directory, 'incoming');
  const kept = join(directory, 'kept');
  const part = (hash: string): string => join(incoming, `${hash}.part`);
  mkdirSync(incoming, { recursive: true, mode: 0o700 });
  mkdirSync(kept, { recursive: true, mode: 0o700 });

  const store: ContentStore = {
    async has({ hash, size }) {
      for (const path of [join(incoming, hash), join(kept, hash)]) {
        const stats = statOf(path);
        if (stats === undefined) continue;
        if (stats.size === size && (await hashFile(path))?.hash === hash) return true;
        // Cut by a kill, or damaged by the disk: of no use, and in the way.
        rmSync(path, { force: true });
      }
      return false;
    },
    received: (hash) => statOf(part(hash))?.size ?? 0,
    put(hash, content) {
      // Written in one go: what a kill cuts off is seen by its size.
      const path = join(incoming, hash);
      try {
        writeFileSync(path, content, { mode: 0o644, flag: 'wx' });
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
        // Never over it: a kill may have left it as a second name of a file in the tree.
        rmSync(path);
        writeFileSync(path, content, { mode: 0o644, flag: 'wx' });
      }
    },
    async open({ hash, size }) {
      const path = part(hash);
      const handle = await open(path, 'a', 0o644);
      return incomingContent(handle, { path, target: join(incoming, hash), hash, size });
    },
    find: (hash) => [join(incoming, hash), join(kept, hash)].find((path) => statOf(path) !== undefined),
    place({ hash, mode }, target) {
      if (mode !== 0o644) return false;
      try {
        linkSync(join(incoming, hash), target);
      } catch (error) {
        if (systemCode(error) === 'EEXIST' || systemCode(error) === 'ENOTDIR') throw error;
        // Not incoming but kept, or a disk without links.
        return false;
      }
      unlinkSync(join(incoming, hash));
      return true;
    },
    take({ hash, mode }, target, { isLast }) {
      const path = join(incoming, hash);
      // It may be another name of a file: writing would change that one.
      rmSync(target, { force: true });
      if (isLast && statOf(path) !== undefined && statOf(join(kept, hash)) === undefined) renameSync(path, target);
      else copyFileSync(store.find(hash) ?? path, target, constants.COPYFILE_FICLONE);
      if (mode !== 0o644 || !isLast) chmodSync(target, mode);
    },
    keep(path, hash) {
      const temporary = store.keepingPath(hash);
      rmSync(temporary, { force: true });
      try {
        linkSync(path, temporary);
      } catch (error) {
        if (!['EPERM', 'EXDEV', 'ENOTSUP', 'EMLINK', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(error) ?? ''))
          throw error;
        copyFileSync(path, temporary, constants.COPYFILE_FICLONE);
      }
      return temporary;
    },
    keptPath: (hash) => join(kept, hash),
    incomingPath: (hash) => join(incoming, hash),
    keepingPath: (hash) => join(kept, `.new-${hash}`),
    async copy({ hash, size }, path) {
      const stats = statOf(path);
      if (stats === undefined || !stats.isFile() || stats.size !== size) return false;
      const temporary = part(`copy-${hash}`);
      copyFileSync(path, temporary, constants.COPYFILE_FICLONE);
      chmodSync(temporary, 0o644);
      const isSame = (await hashFile(temporary))?.hash === hash;
      if (isSame) renameSync(temporary, join(incoming, hash));
      else rmSync(temporary, { force: true });
      return isSame;
    },
    adopt(path, hash) {
      chmodSync(path, 0o644);
      renameSync(path, join(incoming, hash));
    },
    fillingPath: () => join(incoming, fillingName()),
    takeLeft: () => takeLeftFolders(incoming, store.adopt),
    keepStaged(hash) {
      if (statOf(join(incoming, hash)) !== undefined) renameSync(join(incoming, hash), join(kept, hash));
    },
    drop: (hash) => rmSync(part(hash), { force: true }),
    clearIncoming(olderThanMs) {
      const limit = Date.now() - olderThanMs;
      for (const name of readdirSync(incoming)) {
        const path = join(incoming, name);
        const stats = statOf(path);
        if (stats?.isFile() === true && stats.mtimeMs < limit) rmSync(path, { force: true });
      }
    },
  };
  return store;
}

async function incomingContent(
  handle: FileHandle,
  file: { readonly path: string; readonly target: string; readonly hash: string; readonly size: number },
): Promise<IncomingContent> {
  const { path, target, hash, size } = file;
  let received = (await handle.stat()).size;
  const drop = async (): Promise<never> => {
    await handle.close();
    rmSync(path, { force: true });
    throw damaged(hash);
  };
  return {
    async write(piece) {
      received += piece.byteLength;
      if (received > size) await drop();
      await handle.appendFile(piece);
    },
    async finish() {
      if (received !== size || (await hashFile(path))?.hash !== hash) return drop();
      await handle.close();
      renameSync(path, target);
    },
    leave: () => handle.close(),
  };
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function damaged(hash: string): SyncError {
  const message = `Content ${hash} is damaged: it is not what was announced`;
  return new SyncError('SP_SYNC_DAMAGED', message, { retryable: true });
}
