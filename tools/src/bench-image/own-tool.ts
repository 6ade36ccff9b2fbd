import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildImage, buildLayer, createLayerCache, createRegistryClient, type LayerEntry } from '@sp/oci';
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
  const layers = [];
  for (const [folder] of projectFolders) {
    layers.push(await buildLayer(entriesBelow(project, folder), { blobs, cache }));
  }
  const config = { architecture: 'amd64', os: 'linux', cmd: ['/app/bin/server'] };
  const image = await buildImage({ layers, config, blobs });
  const client = createRegistryClient({ registry });
  await client.pushImage(image, { repository: 'bench/app', reference: 'latest', blobs: [blobs] });
}

function entriesBelow(project: string, folder: string): LayerEntry[] {
  const entries: LayerEntry[] = [];
  for (const entry of readdirSync(join(project, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) entries.push(...entriesBelow(project, path));
    else entries.push({ type: 'file', path: `app/${path}`, source: join(project, path), mode: 0o755 });
  }
  return entries;
}
