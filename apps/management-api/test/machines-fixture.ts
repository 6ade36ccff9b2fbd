import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createImages, type Images } from '../src/images/registry.ts';
import { pushMachineImage } from './machine-image.ts';
import { serveHandler } from './serve.ts';

/** A registry behind a real socket, with the images that the machine tests run. */
export interface RegistryFixture extends AsyncDisposable {
  readonly directory: string;
  readonly images: Images;
  readonly registry: string;
  readonly tenantId: string;
  readonly digest: Awaited<ReturnType<typeof pushMachineImage>>;
  readonly brokenDigest: Awaited<ReturnType<typeof pushMachineImage>>;
}

export async function startRegistry(options: { readonly base?: string } = {}): Promise<RegistryFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'sp-machines-'));
  let images: Images | undefined;
  const server = await serveHandler(async (request) => images?.fetch(request) ?? new Response(null, { status: 503 }));
  images = createImages({ directory: join(directory, 'registry'), registry: server.host, secret: randomBytes(32) });
  const tenantId = randomUUID();
  const push = { images, tenantId, directory: join(directory, 'build'), ...options };
  return {
    directory,
    images,
    registry: server.host,
    tenantId,
    brokenDigest: await pushMachineImage({ ...push, command: ['/app/bin/missing'] }),
    digest: await pushMachineImage(push),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
