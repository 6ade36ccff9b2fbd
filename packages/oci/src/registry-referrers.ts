import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor } from './descriptor.ts';
import { type Digest, digestHex, isDigest } from './digest.ts';
import { isMissing, storageError, writeFileAtomic } from './file-write.ts';
import type { ReferrerDescriptor } from './registry-storage.ts';
import { isObject, type Referrer } from './wire.ts';

/** Which manifests are about which, one small file each: `<subject>/<manifest>`. */
export interface ReferrerStore {
  set(repository: string, manifest: Descriptor, referrer: Referrer): Promise<void>;
  /** In the order of their digests; some may be gone. */
  list(repository: string, subject: Digest): Promise<readonly ReferrerDescriptor[]>;
  delete(repository: string, subject: Digest, digest: Digest): Promise<void>;
}

export function createReferrerStore(folder: (repository: string) => string): ReferrerStore {
  const place = (repository: string, subject: Digest): string => join(folder(repository), digestHex(subject));
  return {
    async set(repository, { mediaType, digest, size }, { subject, artifactType, annotations }) {
      const document = { media_type: mediaType, digest, size, artifact_type: artifactType, annotations };
      await writeFileAtomic(join(place(repository, subject), digestHex(digest)), JSON.stringify(document));
    },
    async list(repository, subject) {
      const path = place(repository, subject);
      const names = await readdir(path).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw storageError(path, error);
      });
      const sorted = names.filter((name) => !name.startsWith('.')).sort();
      const found = await Promise.all(sorted.map(async (name) => readReferrer(join(path, name))));
      return found.filter((one) => one !== undefined);
    },
    delete: (repository, subject, digest) => rm(join(place(repository, subject), digestHex(digest)), { force: true }),
  };
}

async function readReferrer(path: string): Promise<ReferrerDescriptor | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return '{}';
    throw storageError(path, error);
  });
  const json: unknown = JSON.parse(text);
  if (!isObject(json)) return undefined;
  const { media_type: mediaType, digest, size, artifact_type: artifactType, annotations } = json;
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isDigest(digest)) return undefined;
  return {
    mediaType,
    digest,
    size: Number(size),
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
    ...(isObject(annotations) ? { annotations: annotations as Readonly<Record<string, string>> } : {}),
  };
}
