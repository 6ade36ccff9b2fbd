import type { RegistryToken, Release } from '@sp/cloud-api';
import { createRegistryClient, type Digest, isDigest } from '@sp/oci';
import * as z from 'zod/mini';
import { throwIfAborted } from '../deploy-error.ts';
import type { BuiltImage } from '../image-builder.ts';

/** What a deploy changes of how the image is run, against the one that runs; names only, sorted. */
export interface ConfigurationDiff {
  /** Environment variables, and settings such as `Cmd`, `User` or `Healthcheck`, that it does not have. */
  readonly added: readonly string[];
  /** Those that it has with another value. */
  readonly changed: readonly string[];
  /** Those that it has, and will not have. */
  readonly removed: readonly string[];
}

/**
 * Compares the configuration of an image with the one that runs: all of it is added when none does. `undefined` when that
 * one cannot be read, and for an image in a docker engine.
 */
export async function diffConfiguration(
  built: BuiltImage,
  remote: {
    readonly target: RegistryToken;
    readonly current: Release | undefined;
    readonly signal: AbortSignal;
  },
): Promise<ConfigurationDiff | undefined> {
  if (built.kind !== 'oci') return undefined;
  const { target, current, signal } = remote;
  try {
    const after = await readOwn(built);
    const before = current === undefined ? new Map<string, string>() : await readRunning(target, current, signal);
    const names = Array.from(new Set([...before.keys(), ...after.keys()])).toSorted();
    return {
      added: names.filter((name) => !before.has(name)),
      changed: names.filter((name) => before.has(name) && after.has(name) && before.get(name) !== after.get(name)),
      removed: names.filter((name) => !after.has(name)),
    };
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}

async function readOwn({ blobs, image }: BuiltImage & { readonly kind: 'oci' }): Promise<ReadonlyMap<string, string>> {
  for (const store of blobs) {
    if ((await store.has(image.config.digest)) !== undefined) return settingsOf(await store.read(image.config.digest));
  }
  throw new Error(`No configuration ${image.config.digest}`);
}

const manifestSchema = z.object({ config: z.object({ digest: z.string() }) });

async function readRunning(
  { registry, repository, username, token }: RegistryToken,
  { digest }: Release,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const client = createRegistryClient({ registry, username, password: token });
  const { bytes } = await client.getManifest(repository, digest, { signal });
  const { config } = manifestSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  return settingsOf(await client.getBlob(repository, checked(config.digest), { signal }));
}

function checked(digest: string): Digest {
  if (isDigest(digest)) return digest;
  throw new Error('Not a digest');
}

const configSchema = z.object({ config: z.nullish(z.record(z.string(), z.unknown())) });

/** How an image is run, by name: each environment variable, and every other setting as a whole. */
async function settingsOf(stream: ReadableStream<Uint8Array>): Promise<ReadonlyMap<string, string>> {
  const { config } = configSchema.parse(await new Response(stream).json());
  const { Env: environment, ...others } = config ?? {};
  const settings = new Map<string, string>();
  for (const line of z.nullish(z.array(z.string())).parse(environment) ?? []) {
    const equals = line.indexOf('=');
    settings.set(line.slice(0, equals), line.slice(equals + 1));
  }
  for (const [name, value] of Object.entries(others)) {
    if (value !== null && value !== '') settings.set(name, JSON.stringify(value));
  }
  return settings;
}
