import { arch } from 'node:os';
import {
  buildImage,
  buildLayer,
  createBlobStore,
  createRegistryClient,
  type Digest,
  type LayerEntry,
  loadOciLayout,
} from '@sp/oci';
import type { Images } from '../src/images/registry.ts';

/** A tenant's server: answers health, shows its environment and arguments, and does what the variables tell it. */
const server = `#!/usr/bin/env node
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';

const startedAt = performance.timeOrigin;
if (process.env.CRASH) {
  console.log('going down');
  console.error('with ' + process.env.CRASH);
  process.exit(Number(process.env.CRASH));
}
const eaten = [];
const facts = () => ({
  startedAt,
  pid: process.pid,
  uid: process.getuid(),
  argv: process.argv.slice(2),
  cwd: process.cwd(),
  env: process.env,
  services: existsSync(process.env.SERVICES + '/marker'),
});
createServer((request, response) => {
  const [, stream, text] = /^\\/say-(out|err)\\?(.*)$/.exec(request.url) ?? [];
  if (request.url.startsWith('/eat?')) return void eaten.push(Buffer.alloc(Number(request.url.slice(5)) * 1024 ** 2, 1));
  if (request.url.startsWith('/exit?')) process.exit(Number(request.url.slice(6)));
  if (stream !== undefined) (stream === 'out' ? console.log : console.error)(decodeURIComponent(text));
  response.setHeader('content-type', 'application/json');
  response.end(request.url === '/facts' ? JSON.stringify(facts()) : '{"status":"ok"}');
}).listen(Number(process.env.PORT), process.env.HOST, () => console.log('listening'));
process.on('SIGTERM', () => {
  console.log('bye');
  process.exit(0);
});
`;

/** What the server of {@link pushMachineImage} tells about itself. */
export interface MachineFacts {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly pid: number;
  readonly uid: number;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly services: boolean;
}

/** Builds an image with that server and pushes it with the tenant's own login, over HTTP. */
export async function pushMachineImage(options: {
  readonly images: Pick<Images, 'issueToken'>;
  readonly tenantId: string;
  readonly directory: string;
  /** An OCI layout to build on; none is enough where only `/app` is used. */
  readonly base?: string | undefined;
  readonly command?: readonly string[] | undefined;
}): Promise<Digest> {
  const {
    images,
    tenantId,
    directory,
    base,
    command = ['/app/bin/server.mjs', '--services', '/app/services'],
  } = options;
  const blobs = createBlobStore(directory);
  const below = base === undefined ? undefined : await loadOciLayout(base);
  const file = (path: string, text: string, mode = 0o644): LayerEntry => ({
    type: 'bytes',
    path,
    content: Buffer.from(text),
    mode,
    uid: 1000,
    gid: 1000,
  });
  const layers = [
    await buildLayer([file('etc/motd', 'an operating system\n')], { blobs }),
    await buildLayer([file('app/bin/server.mjs', server, 0o755)], { blobs }),
    await buildLayer([file('app/services/marker', 'here\n')], { blobs }),
  ];
  const image = await buildImage({
    base: below?.image,
    layers,
    blobs,
    config: {
      os: 'linux',
      architecture: arch() === 'x64' ? 'amd64' : arch(),
      user: '1000:1000',
      env: ['PATH=/app/bin:/usr/local/bin:/usr/bin:/bin', 'HOST=0.0.0.0', 'PORT=8080', 'SERVICES=/app/services'],
      workingDir: '/app',
      exposedPorts: [8080],
      cmd: command,
    },
  });
  const login = await images.issueToken(tenantId);
  const client = createRegistryClient({ registry: login.registry, username: login.username, password: login.token });
  const stores = below === undefined ? [blobs] : [blobs, below.blobs];
  const { digest } = await client.pushImage(image, {
    repository: login.repository,
    reference: login.tag,
    blobs: stores,
  });
  return digest;
}
