import { rm } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import {
  buildImage,
  buildLayer,
  createBlobStore,
  type Digest,
  type LayerEntry,
  loadOciLayout,
  saveOciLayout,
} from '@sp/oci';
import { listNameServiceLibraries, listSharedLibraries } from './shared-libraries.ts';

/** A base image for tenant images. */
export interface BaseImage {
  /** An OCI image layout with this one image. */
  readonly directory: string;
  readonly digest: Digest;
}

/**
 * Makes a base image out of this computer's own Node and the libraries it needs: a stand-in for a base image from a
 * registry where there is no network. It has `/usr/local/bin/node`, `/usr/bin/env`, the users root and app (1000) and
 * `/tmp`; no shell and no packages. Linux with glibc only. An image that is there already is kept when it is the same.
 */
export async function writeBaseImage(directory: string): Promise<BaseImage> {
  const known = await loadOciLayout(directory).catch(() => undefined);
  const scratch = join(directory, '.building');
  const blobs = createBlobStore(scratch);
  try {
    const layers = [await buildLayer(systemEntries(), { blobs }), await buildLayer(await programEntries(), { blobs })];
    const image = await buildImage({
      layers,
      blobs,
      config: {
        os: 'linux',
        architecture: arch() === 'x64' ? 'amd64' : arch(),
        env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
        workingDir: '/',
        cmd: ['/usr/local/bin/node'],
      },
    });
    const { digest } = image.manifest;
    if (known?.image.manifest.digest !== digest) await saveOciLayout(directory, image, { blobs, tag: 'base' });
    return { directory, digest };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function systemEntries(): readonly LayerEntry[] {
  const text = (path: string, lines: readonly string[]): LayerEntry => ({
    type: 'bytes',
    path,
    content: Buffer.from(`${lines.join('\n')}\n`),
  });
  return [
    text('etc/passwd', ['root:x:0:0:root:/root:/sbin/nologin', 'app:x:1000:1000:app:/app:/sbin/nologin']),
    text('etc/group', ['root:x:0:', 'app:x:1000:']),
    text('etc/nsswitch.conf', ['hosts: files dns']),
    { type: 'directory', path: 'app', uid: 1000, gid: 1000 },
    { type: 'directory', path: 'root', mode: 0o700 },
    { type: 'directory', path: 'tmp', mode: 0o1777 },
    { type: 'directory', path: 'var/tmp', mode: 0o1777 },
  ];
}

async function programEntries(): Promise<readonly LayerEntry[]> {
  const programs = new Map([
    ['/usr/local/bin/node', process.execPath],
    ['/usr/bin/env', '/usr/bin/env'],
  ]);
  const libraries = new Set<string>();
  for (const source of programs.values()) {
    for (const library of await listSharedLibraries(source)) libraries.add(library);
  }
  for (const library of await listNameServiceLibraries(Array.from(libraries))) libraries.add(library);
  const files = new Map([...programs, ...Array.from(libraries, (path): [string, string] => [path, path])]);
  return Array.from(files, ([path, source]) => ({ type: 'file', path: path.slice(1), source, mode: 0o755 }));
}
