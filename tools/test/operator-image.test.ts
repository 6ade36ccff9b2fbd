import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '@sp/management-api';
import { expect, test } from 'vitest';
import { loadBaseImageIntoDocker } from './support/docker-base.ts';
import { requirePart } from './support/require-part.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const dockerfile = join(root, 'apps/management-api/deploy/Dockerfile');
const run = promisify(execFile);
const docker = async (...args: string[]): Promise<string> => (await run('docker', args)).stdout.trim();
const logOf = async (name: string): Promise<string> => {
  const { stdout, stderr } = await run('docker', ['logs', name]);
  return `${stdout}${stderr}`;
};

/** Below the ports that the system gives to connections, of which one would take it before the container has started. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((done) => {
      server.once('error', () => done(false));
      server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
    });
    if (isFree) return port;
  }
}

/**
 * Builds the image as its Dockerfile says, but for the first stage: that one asks a registry for what is installed here
 * already, and its last command is run here.
 */
async function buildImage(folder: string, image: string): Promise<void> {
  const text = await readFile(dockerfile, 'utf8');
  const deploy = /pnpm (--filter @sp\/management-api deploy [-\w ]+) \/app/.exec(text)?.[1]?.split(' ') ?? [];
  await run('pnpm', [...deploy, join(folder, 'app')], { cwd: root });
  await cp(join(root, 'LICENSE'), join(folder, 'data', 'LICENSE'));
  const [before = '', after = ''] = text.split(/^FROM \$\{BUILD_IMAGE\}[\s\S]*?(?=^FROM )/m);
  const prepared = 'FROM scratch AS build\nCOPY app /app\nCOPY data /data\n\n';
  await writeFile(join(folder, 'Dockerfile'), `${before}${prepared}${after}`);
  await using base = await loadBaseImageIntoDocker();
  await docker('build', '-q', '--build-arg', `RUNTIME_IMAGE=${base.reference}`, '-t', image, folder);
}

// Minutes on a busy computer: it copies and builds what the image has.
test('the container image migrates, serves as nobody in particular, and ends when it is told to', {
  timeout: 600_000,
}, async (context) => {
  requirePart('docker', context);
  const folder = await mkdtemp(join(tmpdir(), 'sp-operator-image-'));
  const dataDir = join(folder, 'postgres');
  const name = `sp-operator-image-${randomBytes(4).toString('hex')}`;
  // Other tests and other checkouts use the same engine.
  const image = `sp-management-api:${name}`;
  const postgres = await startEmbeddedPostgres({ dataDir });
  try {
    await buildImage(folder, image);
    const vaultKey = randomBytes(32).toString('base64');
    const envFile = join(folder, 'env');
    const port = await freePort();
    const env = {
      SP_API_BASE_URL: `http://127.0.0.1:${port}`,
      SP_API_LISTEN_HOST: '127.0.0.1',
      SP_API_PORT: port,
      SP_API_DRAIN_SECONDS: 0,
      DATABASE_URL: postgres.url,
      SP_API_VAULT_KEY: vaultKey,
      SP_API_REGISTRY_DIRECTORY: '/data/registry',
      SP_API_MACHINES_DIRECTORY: '/data/machines',
      SP_API_TENANT_DOMAIN: 'tenants.example.com',
      SP_API_MACHINES: 'process',
      SP_API_IDENTITY: 'sandbox',
      SP_API_BILLING: 'sandbox',
    };
    const lines = Object.entries(env).map(([key, value]) => `${key}=${value}\n`);
    await writeFile(envFile, lines.join(''), { mode: 0o600 });
    const common = ['--network', 'host', '--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--env-file', envFile];

    expect(await docker('run', '--rm', image, 'config', '--json')).toContain('"DATABASE_URL"');
    expect(JSON.parse(await docker('run', '--rm', ...common, image, 'migrate', '--json'))).toEqual({
      status: 'migrated',
    });

    // A volume takes over the folder's owner, so that nobody in particular may write into it.
    // On a busy computer Node alone takes longer to start than the image's check may take.
    const patient = ['--health-interval', '1s', '--health-timeout', '60s', '--health-retries', '100'];
    await docker('run', '-d', '--name', name, ...common, '-v', `${name}:/data`, ...patient, image);
    const state = async (): Promise<string> =>
      docker('inspect', '--format', '{{.State.Status}} {{.State.Health.Status}}', name);
    while ((await state()) === 'running starting') await new Promise((done) => setTimeout(done, 500));
    expect(await state(), await logOf(name)).toBe('running healthy');
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    const doctor = await docker('exec', name, 'node', '/app/bin/sp-management-api.js', 'doctor', '--json');
    expect(JSON.parse(doctor)).toMatchObject({ healthy: true });
    expect(await docker('inspect', '--format', '{{.Config.User}}', name)).toBe('1000:1000');
    expect(await docker('top', name, '-o', 'pid,uid')).toMatch(/\b1000\b/);
    expect(await docker('history', '--no-trunc', image)).not.toContain(vaultKey);

    await docker('stop', '-t', '120', name);
    expect(await docker('inspect', '--format', '{{.State.ExitCode}}', name)).toBe('0');
    expect(await logOf(name)).toContain('"msg":"ended"');
  } finally {
    await docker('rm', '-f', name).catch(() => {});
    await docker('volume', 'rm', '-f', name).catch(() => {});
    await docker('rmi', '-f', image).catch(() => {});
    await postgres.stop();
    await removeEmbeddedPostgres({ dataDir });
    await rm(folder, { recursive: true, force: true });
  }
});
