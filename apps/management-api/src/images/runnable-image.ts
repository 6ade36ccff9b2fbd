import { arch } from 'node:os';
import { type Descriptor, type Digest, isDigest } from '@sp/oci';
import * as z from 'zod/mini';
import type { ImageSource } from './image-source.ts';

/** What of an image matters to somebody who runs it. */
export interface RunnableImage {
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
  readonly environment: Readonly<Record<string, string>>;
  /** Entrypoint and command. */
  readonly command: readonly string[];
  readonly workingDirectory: string;
}

/** Larger configs are not read into memory. */
const configLimit = 4 * 1024 * 1024;

const digestSchema = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const descriptorSchema = z.object({ mediaType: z.string(), digest: digestSchema, size: z.number() });
const manifestSchema = z.object({ config: descriptorSchema, layers: z.array(descriptorSchema) });
const indexSchema = z.object({
  manifests: z.array(
    z.object({
      digest: digestSchema,
      platform: z.optional(z.object({ os: z.string(), architecture: z.string() })),
    }),
  ),
});
const strings = z.nullish(z.array(z.string()));
const configSchema = z.object({
  config: z.nullish(z.object({ Env: strings, Entrypoint: strings, Cmd: strings, WorkingDir: z.nullish(z.string()) })),
});

/**
 * Reads an image out of the registry's storage, also one of several in an index (what `docker buildx` pushes). The
 * reason is returned, in words for the image's owner, when it cannot be run.
 */
export async function readRunnableImage(
  source: ImageSource,
  request: { readonly repository: string; readonly digest: Digest },
): Promise<RunnableImage | { readonly unusable: string }> {
  const { repository, digest } = request;
  const document = await readJson(source, request);
  if (document === undefined) return { unusable: `there is no image ${digest} in the registry` };
  const index = indexSchema.safeParse(document);
  if (index.success) {
    const inner = choosePlatform(index.data.manifests);
    if (inner === undefined) return { unusable: `the image ${digest} is not for linux` };
    return readRunnableImage(source, { repository, digest: inner });
  }
  const manifest = manifestSchema.safeParse(document);
  if (!manifest.success) return { unusable: `the manifest ${digest} is not an image manifest` };
  const config = configSchema.safeParse(parseJson(await readConfig(source, manifest.data.config)));
  if (!config.success) return { unusable: `the config of the image ${digest} cannot be read` };
  const { Env, Entrypoint, Cmd, WorkingDir } = config.data.config ?? {};
  const command = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  if (command.length === 0) return { unusable: `the image ${digest} has no command` };
  return {
    layers: manifest.data.layers,
    environment: parseEnvironment(Env ?? []),
    command,
    workingDirectory: WorkingDir || '/',
  };
}

async function readJson(
  source: ImageSource,
  { repository, digest }: { readonly repository: string; readonly digest: Digest },
): Promise<unknown> {
  const manifest = await source.readManifest(repository, digest);
  return manifest === undefined ? undefined : parseJson(manifest.bytes);
}

async function readConfig(source: ImageSource, { digest }: Descriptor): Promise<Uint8Array> {
  const size = await source.blobs.has(digest);
  if (size === undefined || size > configLimit) return new Uint8Array();
  return new Uint8Array(await new Response(await source.blobs.read(digest)).arrayBuffer());
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}

function choosePlatform(manifests: z.infer<typeof indexSchema>['manifests']): Digest | undefined {
  const architecture = arch() === 'x64' ? 'amd64' : arch();
  // Attestations stand beside the images under the platform `unknown/unknown`.
  const images = manifests.filter(({ platform }) => platform === undefined || platform.os === 'linux');
  return (images.find(({ platform }) => platform?.architecture === architecture) ?? images[0])?.digest;
}

function parseEnvironment(lines: readonly string[]): Record<string, string> {
  const pairs = lines.map((line): [string, string] => {
    const equals = line.indexOf('=');
    return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)];
  });
  return Object.fromEntries(pairs);
}
