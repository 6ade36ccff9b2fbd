import { randomUUID } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLayer } from '@sp/oci';
import type { ImageSource } from '../images/image-source.ts';
import type { RunnableImage } from '../images/runnable-image.ts';
import { unpackAppLayer } from './unpack-layer.ts';

/** The places of one release of an app. */
export interface ReleaseFolder {
  readonly directory: string;
  /** What the image has below `/app`. */
  readonly appDirectory: string;
  readonly record: string;
  readonly log: string;
  /** Written by the supervisor when the machine has ended: its exit code. */
  readonly exit: string;
  readonly temporary: string;
  readonly home: string;
}

export function releasesDirectory(directory: string, appName: string): string {
  return join(directory, appName, 'releases');
}

export function releaseFolder(releases: string, releaseId: string): ReleaseFolder {
  const directory = join(releases, releaseId);
  return {
    directory,
    appDirectory: join(directory, 'rootfs', 'app'),
    record: join(directory, 'machine.json'),
    log: join(directory, 'machine.log'),
    exit: join(directory, 'machine.exit'),
    temporary: join(directory, 'tmp'),
    home: join(directory, 'home'),
  };
}

/**
 * Unpacks an image's `/app` into the release's folder, unless it is there already. It is done in a folder beside and
 * renamed at the end, so a release folder is complete or not there. Layers without anything below `/app` (the operating
 * system) are remembered under `<foreignLayers>/<digest>` and not read again.
 */
export async function prepareRelease(
  folder: ReleaseFolder,
  options: {
    readonly image: RunnableImage;
    readonly source: ImageSource;
    readonly foreignLayers: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const { image, source, foreignLayers, signal } = options;
  if (await exists(folder.directory)) return;
  const building = `${folder.directory}.unpacking-${randomUUID()}`;
  try {
    const directory = join(building, 'rootfs', 'app');
    await mkdir(directory, { recursive: true });
    await mkdir(foreignLayers, { recursive: true });
    for (const layer of image.layers) {
      const marker = join(foreignLayers, layer.digest.replace(':', '-'));
      if (await exists(marker)) continue;
      const found = await unpackAppLayer(readLayer(source.blobs, layer), { directory, signal });
      if (!found) await writeFile(marker, '');
    }
    await rename(building, folder.directory);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    throw error;
  }
}

/** Removes all releases but the given one and the one that was in use last before it. */
export async function removeOldReleases(
  releases: string,
  options: { readonly keep: string; readonly isInUse: (releaseId: string) => Promise<boolean> },
): Promise<void> {
  const { keep, isInUse } = options;
  const others: { name: string; usedAt: number }[] = [];
  for (const name of await readdir(releases)) {
    // Starts and stops write into the folder itself, so its time tells when it was in use.
    if (name !== keep) others.push({ name, usedAt: (await stat(join(releases, name))).mtimeMs });
  }
  others.sort((a, b) => b.usedAt - a.usedAt);
  const complete = others.filter(({ name }) => !name.includes('.unpacking-'));
  for (const { name } of others) {
    if (name === complete[0]?.name || (await isInUse(name))) continue;
    await rm(join(releases, name), { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
