import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '@sp/management-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
// @boundaries-ignore one image of the installed Postgres serves both
import { buildTestImage, canRunPostgres, testImage } from '../../packages/local-postgres/test/postgres-image.ts';
import { loadBaseImageIntoDocker } from './support/docker-base.ts';
import { requirePart } from './support/require-part.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const deploy = join(root, 'apps/management-api/deploy');
const dockerfile = join(deploy, 'Dockerfile');
const run = promisify(execFile);
const docker = async (...args: string[]): Promise<string> => (await run('docker', args)).stdout.trim();
const logOf = async (name: string): Promise<string> => {
  const { stdout, stderr } = await run('docker', ['logs', name]);
  return `${stdout}${stderr}`;
};

/** Below the ports that the system gives to connections, of which one would take it before the container has started. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 20_000);
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
  const command = /pnpm (--filter @sp\/management-api deploy [-\w ]+) \/app/.exec(text)?.[1]?.split(' ') ?? [];
  await run('pnpm', [...command, join(folder, 'app')], { cwd: root });
  await cp(join(root, 'LICENSE'), join(folder, 'data', 'LICENSE'));
  const [before = '', after = ''] = text.split(/^FROM \$\{BUILD_IMAGE\}[\s\S]*?(?=^FROM )/m);
  const prepared = 'FROM scratch AS build\nCOPY app /app\nCOPY data /data\n\n';
  await writeFile(join(folder, 'Dockerfile'), `${before}${prepared}${after}`);
  await using base = await loadBaseImageIntoDocker();
  await docker('build', '-q', '--build-arg', `RUNTIME_IMAGE=${base.reference}`, '-t', image, folder);
}

// Other tests and other checkouts use the same engine.
const name = `sp-operator-image-${randomBytes(4).toString('hex')}`;
const image = `sp-management-api:${name}`;
let folder: string;
let built: Promise<void> | undefined;
const buildOnce = (): Promise<void> => (built ??= buildImage(folder, image));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-operator-image-'));
});
afterAll(async () => {
  if (built !== undefined) await docker('rmi', '-f', image).catch(() => {});
  await rm(folder, { recursive: true, force: true });
});

// Minutes on a busy computer: it copies and builds what the image has.
test('the container image migrates, serves as nobody in particular, and ends when it is told to', {
  timeout: 600_000,
}, async (context) => {
  requirePart('docker', context);
  const dataDir = join(folder, 'postgres');
  const postgres = await startEmbeddedPostgres({ dataDir });
  try {
    await buildOnce();
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
    await postgres.stop();
    await removeEmbeddedPostgres({ dataDir });
  }
});

test('compose brings all of it up with nothing but what its file asks for, and takes it down', {
  timeout: 600_000,
}, async (context) => {
  requirePart('docker', context);
  if (!(await canRunPostgres())) return context.skip('needs docker compose and an installed Postgres');
  await buildOnce();
  await buildTestImage();
  const place = join(folder, 'compose');
  await mkdir(join(place, 'secrets'), { recursive: true });
  // As it is shipped, but for images of other names, a database that is there already, and any port.
  const shipped = await readFile(join(deploy, 'compose.yaml'), 'utf8');
  const changed = [
    ['image: postgres:18', `image: ${testImage}`],
    ['image: sp-management-api', `image: ${image}`],
    ['POSTGRES_DB: systemprompt', 'POSTGRES_USER: postgres'],
    ['POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password', 'POSTGRES_PASSWORD: compose-password'],
    ['"-d", "systemprompt"', '"-d", "postgres"'],
    ['127.0.0.1:8080:8080', '127.0.0.1::8080'],
  ].reduce((text, [from = '', to = '']) => {
    expect(text).toContain(from);
    return text.replaceAll(from, to);
  }, shipped);
  await writeFile(join(place, 'compose.yaml'), changed);
  const asked = new Set([...shipped.matchAll(/\$\{([A-Z_]+):\?/g)].map(([, variable = '']) => variable));
  const values: Readonly<Record<string, string>> = { SP_API_BASE_URL: 'https://api.example.com' };
  const dotEnv = [...asked].map((variable) => `${variable}=${values[variable] ?? 'db.example.com'}\n`);
  const secrets: Readonly<Record<string, string>> = {
    database_url: 'postgresql://postgres:compose-password@postgres:5432/postgres',
    vault_key: randomBytes(32).toString('base64'),
  };
  for (const [, secret = ''] of shipped.matchAll(/file: \.\/secrets\/(\w+)/g)) {
    const file = join(place, 'secrets', secret);
    await writeFile(file, `${secrets[secret] ?? 'a-secret-of-some-length'}\n`);
    // The container's user is not this one.
    await chmod(file, 0o644);
  }
  const compose = async (...args: string[]): Promise<string> => {
    const [program = '', ...first] = (await hasOldCompose()) ? ['docker-compose'] : ['docker', 'compose'];
    const { stdout, stderr } = await run(program, [...first, '-p', name, ...args], { cwd: place });
    return `${stdout}${stderr}`;
  };
  // Says what is missing before it starts anything.
  await expect(compose('up', '-d')).rejects.toThrow(/set it in \.env/);
  await writeFile(join(place, '.env'), dotEnv.join(''));
  try {
    await compose('up', '-d');
    const id = (await compose('ps', '-q', 'api')).trim();
    const state = (): Promise<string> =>
      docker('inspect', '--format', '{{.State.Status}} {{.State.Health.Status}}', id);
    while ((await state()) === 'running starting') await new Promise((done) => setTimeout(done, 500));
    expect(await state(), await logOf(id)).toBe('running healthy');
    const address = (await compose('port', 'api', '8080')).trim();
    const ready = await fetch(`http://${address}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'ok' }]);
    // What is in files of secrets shows nowhere.
    expect(await docker('inspect', id)).not.toContain('compose-password');
    expect(await logOf(id)).not.toContain('compose-password');
    await compose('stop', 'api');
    expect(await docker('inspect', '--format', '{{.State.ExitCode}}', id)).toBe('0');
  } finally {
    await compose('down', '-v', '-t', '60').catch(() => {});
  }
});

async function hasOldCompose(): Promise<boolean> {
  return await run('docker-compose', ['version']).then(
    () => true,
    () => false,
  );
}
