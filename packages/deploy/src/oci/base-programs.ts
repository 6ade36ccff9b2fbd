import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BaseImage, findInImage, isOciError } from '@sp/oci';
import * as z from 'zod/mini';

const rememberedSchema = z.object({ canCheck: z.boolean() });

/** Where programs are that a container finds. */
const folders = ['bin', 'usr/bin', 'usr/local/bin', 'sbin', 'usr/sbin', 'usr/local/sbin'];

/**
 * Whether a base has what a health check needs: a shell, and curl or wget. Its layers are read once, and the answer kept in
 * `<cacheDirectory>/programs`: a base never changes under its digest.
 */
export async function canCheckHealth(
  base: BaseImage,
  { cacheDirectory, signal }: { readonly cacheDirectory: string; readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  const folder = join(cacheDirectory, 'programs');
  const file = join(folder, `${base.image.manifest.digest.replace(':', '-')}.json`);
  const known = rememberedSchema.safeParse(await readJson(file));
  if (known.success) return known.data.canCheck;
  const clients = folders.flatMap((place) => [`${place}/curl`, `${place}/wget`]);
  const wanted = new Set(['bin/sh', 'usr/bin/sh', ...clients]);
  const found = await findInImage(base.image, { blobs: base.blobs, matches: (path) => wanted.has(path), signal }).catch(
    (error: unknown) => {
      // Compressed as this Node cannot read it: most bases have all of it.
      if (isOciError(error) && error.code === 'SP_OCI_MEDIA_TYPE') return undefined;
      throw error;
    },
  );
  if (found === undefined) return true;
  const canCheck = found.some((path) => path.endsWith('/sh')) && found.some((path) => clients.includes(path));
  const temporary = `${file}.${randomUUID()}`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(temporary, JSON.stringify({ canCheck }));
    await rename(temporary, file);
  } catch {
    // Asked again the next time.
    await rm(temporary, { force: true });
  }
  return canCheck;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}
