import {
  buildImage,
  buildLayer,
  createBlobStore,
  createDiskRegistryStorage,
  createRegistryClient,
  createRegistryHandler,
  type LayerEntry,
} from '@sp/oci';
import { temporaryFolder } from './fixture-project.ts';
import { serve } from './registry-server.ts';

export const amd64 = { os: 'linux', architecture: 'amd64' };
export const arm64 = { os: 'linux', architecture: 'arm64' };
export const password = 'planted-base-password';

/**
 * A registry that wants a token, with `base:v1`: an index of an image for two platforms. With `identity` its token server
 * takes the password only as an identity token.
 */
export async function privateBase(
  options: { readonly entries?: readonly LayerEntry[]; readonly password?: string; readonly identity?: boolean } = {},
) {
  const { entries = [], password: secret = password, identity = false } = options;
  const storage = createDiskRegistryStorage(await temporaryFolder());
  const blobs = createBlobStore(await temporaryFolder());
  const handler = createRegistryHandler({ storage, authorize: () => Promise.resolve({ allow: true }) });
  const own = createRegistryClient({
    registry: 'registry.test',
    fetch: (input, init) => handler(new Request(input, init)),
  });
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const move = async (content: string): Promise<void> => {
    const manifests = [];
    for (const platform of [amd64, arm64]) {
      const text = Buffer.from(`${content} for ${platform.architecture}\n`);
      const layer = await buildLayer([...entries, { type: 'bytes', path: 'etc/base', content: text }], { blobs });
      const image = await buildImage({ layers: [layer], config: { ...platform, env: ['PATH=/base:/bin'] }, blobs });
      await own.pushImage(image, { repository: 'base', reference: platform.architecture, blobs: [blobs] });
      manifests.push({ ...image.manifest, platform });
    }
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
    await storage.writeManifest('base', { bytes, mediaType, tag: 'v1' });
  };
  await move('one');
  const requests: string[] = [];
  const host = await serve(async (request) => {
    const { pathname, origin } = new URL(request.url);
    if (pathname.includes('/blobs/')) requests.push(pathname);
    const authorization = request.headers.get('authorization');
    if (pathname === '/token') {
      const form = new URLSearchParams(request.method === 'POST' ? await request.text() : '');
      const good = identity
        ? form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === secret
        : authorization === `Basic ${Buffer.from(`ada:${secret}`).toString('base64')}`;
      const answer = identity ? { access_token: 'short-lived' } : { token: 'short-lived' };
      return good ? Response.json(answer) : new Response(null, { status: 401 });
    }
    if (authorization === 'Bearer short-lived') return handler(request);
    const challenge = `Bearer realm="${origin}/token",service="base"`;
    return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } });
  });
  const login = () => ({ username: 'ada', password: secret, retries: 0 });
  return { reference: `${host}/base`, requests, move, login };
}
