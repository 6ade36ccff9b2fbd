import { arch } from 'node:os';
import type { Descriptor, Digest } from '@sp/oci';
import * as z from 'zod/mini';
import { parseJson, readImageManifest } from './image-manifest.ts';
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

const strings = z.nullish(z.array(z.string()));
const configSchema = z.object({
  config: z.nullish(z.object({ Env: strings, Entrypoint: strings, Cmd: strings, WorkingDir: z.nullish(z.string()) })),
});

/**
 * Reads an image out of the registry's storage. The reason is returned, in words for the image's owner, when it cannot
 * be run.
 */
export async function readRunnableImage(
  source: ImageSource,
  request: { readonly repository: string; readonly digest: Digest },
): Promise<RunnableImage | { readonly unusable: string }> {
  const { digest } = request;
  const architecture = arch() === 'x64' ? 'amd64' : arch();
  const manifest = await readImageManifest(source, { ...request, architecture });
  if ('unusable' in manifest) return manifest;
  const config = configSchema.safeParse(parseJson(await readConfig(source, manifest.config)));
  if (!config.success) return { unusable: `the config of the image ${digest} cannot be read` };
  const { Env, Entrypoint, Cmd, WorkingDir } = config.data.config ?? {};
  const command = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  if (command.length === 0) return { unusable: `the image ${digest} has no command` };
  return {
    layers: manifest.layers,
    environment: parseEnvironment(Env ?? []),
    command,
    workingDirectory: WorkingDir || '/',
  };
}

async function readConfig(source: ImageSource, { digest }: Descriptor): Promise<Uint8Array> {
  const size = await source.blobs.has(digest);
  if (size === undefined || size > configLimit) return new Uint8Array();
  return new Uint8Array(await new Response(await source.blobs.read(digest)).arrayBuffer());
}

function parseEnvironment(lines: readonly string[]): Record<string, string> {
  const pairs = lines.map((line): [string, string] => {
    const equals = line.indexOf('=');
    return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)];
  });
  return Object.fromEntries(pairs);
}
