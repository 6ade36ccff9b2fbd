import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BlobStore,
  type BuiltLayer,
  buildImage,
  buildLayer,
  createBlobStore,
  type OciImage,
} from '../src/index.ts';

export interface Folder extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'sp-oci-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Bytes that do not compress and are the same for the same seed. */
export function noise(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let index = 0; index < size; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

export interface Sample {
  readonly blobs: BlobStore;
  readonly image: OciImage;
  readonly layers: readonly BuiltLayer[];
}

/** An image with two layers, one of them with `size` bytes. */
export async function sampleImage(folder: string, { size = 300_000, seed = 1 } = {}): Promise<Sample> {
  const blobs = createBlobStore(folder);
  const layers = [
    await buildLayer([{ type: 'bytes', path: 'app/data', content: noise(size, seed) }], { blobs }),
    await buildLayer([{ type: 'bytes', path: 'app/config.json', content: Buffer.from('{}') }], { blobs }),
  ];
  const config = { architecture: 'amd64', os: 'linux', cmd: ['/app/run'], exposedPorts: [8080] };
  return { blobs, layers, image: await buildImage({ layers, config, blobs }) };
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
  return 'no error';
}
