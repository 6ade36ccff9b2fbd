import { execFileSync, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import {
  buildImage,
  buildLayer,
  createBlobStore,
  createDiskRegistryStorage,
  createRegistryClient,
  createRegistryHandler,
  type Digest,
  type LayerEntry,
  readLayer,
} from '@sp/oci';
import { expect, onTestFinished } from 'vitest';
import {
  createDockerBuilder,
  createOciBuilder,
  type DockerBuilderOptions,
  type ImageBuilder,
  type ImagePlan,
  imageName,
  planImage,
} from '../src/index.ts';
import { fixtureProject, temporaryFolder } from './fixture-project.ts';
import { serve, type TestRegistry, testRegistry } from './registry-server.ts';

/** What the engine beside the tests runs. */
export const hostPlatform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };

interface PushedContent {
  readonly config: Readonly<Record<string, unknown>>;
  /** `mode owner path` of everything in the image. */
  readonly listing: readonly string[];
}

interface Manifest {
  readonly config: { readonly digest: Digest };
  readonly layers: readonly { readonly mediaType: string; readonly digest: Digest; readonly size: number }[];
}

async function pushedContent({ storage, target }: TestRegistry, digest: string): Promise<PushedContent> {
  const manifest = JSON.parse(await readFile(storage.blobs.path(digest as Digest), 'utf8')) as Manifest;
  const byPath = new Map<string, string>();
  for (const layer of manifest.layers) {
    const parts: Uint8Array[] = [];
    for await (const part of readLayer(storage.blobs, layer)) parts.push(part);
    const text = execFileSync('tar', ['-tvf', '-', '--numeric-owner'], {
      input: Buffer.concat(parts),
      encoding: 'utf8',
    });
    // BuildKit keeps layers that have nothing in them.
    for (const line of text.split('\n').filter((entry) => entry !== '')) {
      const [mode, owner, , , , path] = line.split(/\s+/);
      byPath.set((path ?? '').replace(/\/$/, ''), `${mode} ${owner}`);
    }
  }
  const { config } = JSON.parse(await readFile(storage.blobs.path(manifest.config.digest), 'utf8')) as PushedContent;
  expect(await storage.resolve(target.repository, target.tag)).toMatchObject({ digest });
  return { config, listing: Array.from(byPath, ([path, facts]) => `${facts} ${path}`).toSorted() };
}

async function contentOf(
  plan: ImagePlan,
  builder: ImageBuilder,
  engine?: DockerBuilderOptions,
): Promise<PushedContent> {
  const registry = await testRegistry();
  const name = imageName(registry.target);
  onTestFinished(() => {
    if (engine === undefined) return;
    const { binary = 'docker', env } = engine;
    const images = plan.base === 'scratch' ? [name] : [name, plan.base];
    // BuildKit keeps the base to itself: then there is no image of that name.
    spawnSync(binary, ['rmi', '--force', ...images], { stdio: 'ignore', env: { ...process.env, ...env } });
  });
  const pushed = await builder.push(await builder.build(plan, { name }), registry.target);
  return pushedContent(registry, pushed.digest);
}

/** A registry for everybody with an image that has a file, a PATH and a label; its reference. */
export async function publicBase(entries: readonly LayerEntry[] = []): Promise<string> {
  const storage = createDiskRegistryStorage(await temporaryFolder());
  const registry = await serve(createRegistryHandler({ storage, authorize: () => Promise.resolve({ allow: true }) }));
  const blobs = createBlobStore(await temporaryFolder());
  const file: LayerEntry = { type: 'bytes', path: 'etc/base', content: Buffer.from('base\n') };
  const script = Buffer.from('#!/bin/sh\n');
  const programs = ['bin/sh', 'usr/bin/wget'].map(
    (path): LayerEntry => ({ type: 'bytes', path, content: script, mode: 0o755 }),
  );
  const layers = [await buildLayer([...(entries.length === 0 ? programs : entries), file], { blobs })];
  const config = { ...hostPlatform, env: ['PATH=/base:/usr/bin:/bin'], labels: { base: 'yes' } };
  const image = await buildImage({ layers, config, blobs });
  await createRegistryClient({ registry }).pushImage(image, { repository: 'base', reference: 'v1', blobs: [blobs] });
  return `${registry}/base:v1`;
}

/** Builds a plan with docker and in this process, and compares what was pushed. */
export async function expectSameImage(docker: DockerBuilderOptions, base = 'scratch'): Promise<void> {
  const projectRoot = await fixtureProject();
  const plan = await planImage({ projectRoot, profileName: 'production', base, platform: hostPlatform });
  const byDocker = await contentOf(plan, createDockerBuilder(docker), docker);
  const inProcess = await contentOf(plan, createOciBuilder({ cacheDirectory: await temporaryFolder() }));
  expect(inProcess.config['Healthcheck'] !== undefined).toBe(base !== 'scratch');
  expect(byDocker.listing).toEqual(inProcess.listing);
  for (const key of ['User', 'WorkingDir', 'Cmd', 'ExposedPorts', 'Env', 'Labels', 'Healthcheck']) {
    expect({ key, value: sorted(byDocker.config[key]) }).toEqual({ key, value: sorted(inProcess.config[key]) });
  }
}

function sorted(value: unknown): unknown {
  // Podman says who built it.
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'io.buildah.version'));
  }
  const isEnvironment = Array.isArray(value) && String(value[0]).includes('=');
  return isEnvironment ? value.map(String).toSorted() : value;
}
