import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from './digest.ts';
import { OciError } from './error.ts';
import { isMissing, storageError, writeFileAtomic } from './file-write.ts';
import { isTag } from './reference.ts';

/** The tags of every repository, one small file each. */
export interface TagStore {
  get(repository: string, tag: string): Promise<Digest | undefined>;
  /** Moves the tag in one step. */
  set(repository: string, tag: string, digest: Digest): Promise<void>;
  /** Forgets a tag; whether it was there. */
  delete(repository: string, tag: string): Promise<boolean>;
  /** In code-unit order. */
  list(repository: string): Promise<readonly string[]>;
}

export function createTagStore(folder: (repository: string) => string): TagStore {
  const file = (repository: string, tag: string): string => {
    if (!isTag(tag)) throw new OciError('SP_OCI_REFERENCE', `Invalid tag ${JSON.stringify(tag)}`, { repository });
    return join(folder(repository), fileNameOf(tag));
  };
  return {
    async get(repository, tag) {
      const path = file(repository, tag);
      try {
        const digest = await readFile(path, 'utf8');
        if (isDigest(digest)) return digest;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw storageError(path, error);
      }
      throw new OciError('SP_OCI_STORAGE', `Cannot use ${path}: it holds no digest`, { path });
    },
    set: (repository, tag, digest) => writeFileAtomic(file(repository, tag), digest),
    async delete(repository, tag) {
      const path = file(repository, tag);
      try {
        await rm(path);
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw storageError(path, error);
      }
    },
    async list(repository) {
      try {
        return (await readdir(folder(repository)))
          .filter((name) => !name.startsWith('.'))
          .map(tagOf)
          .sort();
      } catch (error) {
        if (isMissing(error)) return [];
        throw storageError(folder(repository), error);
      }
    },
  };
}

/**
 * A file name for a tag that no other tag gets, also on disks that do not tell upper case from lower: there `A` would
 * overwrite `a`, past the rights of whoever may only push `A`. Lower-cased, then `+` and a bit for each capital.
 */
function fileNameOf(tag: string): string {
  let capitals = 0n;
  for (let index = 0; index < tag.length; index += 1) {
    if (/[A-Z]/.test(tag.charAt(index))) capitals |= 1n << BigInt(index);
  }
  return capitals === 0n ? tag : `${tag.toLowerCase()}+${capitals.toString(16)}`;
}

function tagOf(fileName: string): string {
  const [lower = '', mask = '0'] = fileName.split('+');
  const capitals = BigInt(`0x${mask}`);
  return Array.from(lower, (letter, index) => ((capitals >> BigInt(index)) & 1n ? letter.toUpperCase() : letter)).join(
    '',
  );
}
