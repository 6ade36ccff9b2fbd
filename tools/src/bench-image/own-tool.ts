import { readdirSync } from 'node:fs';
import {
  type BuiltLayer,
  buildImage,
  buildLayer,
  createLayerCache,
  createRegistryClient,
  type LayerEntry,
} from '@sp/oci';
import { projectFolders } from './project.ts';

/** What a run of `@sp/oci` is told on its command line. */
export interface OwnBuild {
  readonly project: string;
  readonly cacheDirectory: string;
  readonly registry: string;
}

/** Builds a project's image, one layer for each folder, and pushes it: a whole process, started anew for each build. */
export async function buildAndPush({ project, cacheDirectory, registry }: OwnBuild): Promise<void> {
  const cache = createLayerCache({ directory: cacheDirectory });
  const { blobs } = cache;
  const client = createRegistryClient({ registry });
  const target = { repository: 'bench/app', blobs: [blobs] };
  const layers = [];
  const sending = [];
  for (const [folder] of projectFolders) {
    const entries = entriesBelow(project, folder);
    let made = false;
    const build = (): Promise<BuiltLayer> => {
      made = true;
      return buildLayer(entries, { blobs });
    };
    const layer = await cache.get(entries, { build });
    layers.push(layer);
    // As a deploy does it: a layer that is new travels while the next ones are made.
    if (made) sending.push(client.pushBlob(layer.descriptor, target));
  }
  const config = { architecture: 'amd64', os: 'linux', cmd: ['/app/bin/server'] };
  const image = await buildImage({ layers, config, blobs });
  await Promise.all(sending);
  await client.pushImage(image, { ...target, reference: 'latest' });
}

/** Without `join`, which takes as long for two thousand paths as looking at the files. */
function entriesBelow(project: string, folder: string): LayerEntry[] {
  const entries: LayerEntry[] = [];
  for (const entry of readdirSync(`${project}/${folder}`, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) entries.push(...entriesBelow(project, path));
    else entries.push({ type: 'file', path: `app/${path}`, source: `${project}/${path}`, mode: 0o755 });
  }
  return entries;
}
