import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  createDiskRegistryStorage,
  createRegistryClient,
  createRegistryHandler,
  isOciError,
  type OciErrorCode,
} from '../src/index.ts';
import { sampleImage, temporaryFolder } from './setup.ts';

/** The requests of a push, one after the other. */
const moments: readonly (readonly [string, (method: string, path: string) => boolean])[] = [
  ['asked for the tag', (method, path) => method === 'GET' && path.includes('/manifests/')],
  ['asked for a blob', (method, path) => method === 'HEAD' && path.includes('/blobs/')],
  ['an upload starts', (method, path) => method === 'POST' && path.includes('/uploads/')],
  ['a large blob is sent', (method) => method === 'PATCH'],
  ['an upload ends', (method, path) => method === 'PUT' && path.includes('/uploads/')],
  ['the manifest is sent', (method, path) => method === 'PUT' && path.includes('/manifests/')],
];

/** The signal is the client's own: a `Request` holds only a weak reference to it, and may lose it before it fires. */
type Answer = (request: Request, signal: AbortSignal | null | undefined) => Promise<Response>;

const faults: readonly (readonly [string, Answer, readonly OciErrorCode[]])[] = [
  ['answers 500', async () => new Response('oops', { status: 500 }), ['SP_OCI_REGISTRY']],
  [
    'answers 429',
    async () => new Response(null, { status: 429, headers: { 'retry-after': '0' } }),
    ['SP_OCI_REGISTRY'],
  ],
  [
    'redirects for ever',
    async (request) => new Response(null, { status: 307, headers: { location: request.url } }),
    ['SP_OCI_REGISTRY'],
  ],
  [
    'hangs',
    (_request, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      }),
    ['SP_OCI_NETWORK'],
  ],
  ['closes the connection', () => Promise.reject(new TypeError('terminated')), ['SP_OCI_NETWORK']],
  // An answer to another question: no location, no digest, no such status.
  ['says something else', async () => new Response(null, { status: 418 }), ['SP_OCI_REGISTRY']],
];

const cases = moments.flatMap(([moment, matches]) =>
  faults.map(([fault, answer, codes]) => ({ moment, fault, matches, answer, codes })),
);

test.each(cases)(
  'a registry that $fault when $moment: a named error, the tag stays, the next push works; or it does not matter',
  async (one) => {
    const { moment, fault, matches, answer, codes } = one;
    await using folder = await temporaryFolder();
    const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
    const handler = createRegistryHandler({ storage, authorize: () => Promise.resolve({ allow: true }) });
    const options = { registry: 'registry.test', retries: 1, retryDelayMilliseconds: 1 };
    const steady = createRegistryClient({ ...options, fetch: (...input) => handler(new Request(...input)) });
    const before = await sampleImage(join(folder.path, 'before'));
    const target = { repository: 'app', reference: 'v1' };
    await steady.pushImage(before.image, { ...target, blobs: [before.blobs] });

    const { image, blobs } = await sampleImage(join(folder.path, 'after'), { size: 1_500_000, seed: 2 });
    const faulty = createRegistryClient({
      ...options,
      // Short only where it is waited for: a busy computer may be slow to answer.
      ...(fault === 'hangs' ? { idleTimeoutMilliseconds: 200 } : {}),
      fetch: (...input) => {
        const request = new Request(...input);
        return matches(request.method, new URL(request.url).pathname)
          ? answer(request, input[1]?.signal)
          : handler(request);
      },
    });
    if (moment === 'asked for the tag' && codes.includes('SP_OCI_REGISTRY')) {
      // The question only saves time: whatever is answered to it, the content can still be sent.
      await faulty.pushImage(image, { ...target, blobs: [blobs] });
      expect((await storage.resolve('app', 'v1'))?.digest).toBe(image.manifest.digest);
      return;
    }
    const error = await faulty.pushImage(image, { ...target, blobs: [blobs] }).catch((thrown: unknown) => thrown);
    expect(isOciError(error) && codes.includes(error.code), String(error)).toBe(true);
    expect((await storage.resolve('app', 'v1'))?.digest).toBe(before.image.manifest.digest);
    await steady.pushImage(image, { ...target, blobs: [blobs] });
    expect((await storage.resolve('app', 'v1'))?.digest).toBe(image.manifest.digest);
  },
);
