import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type * as ManagementApi from '@sp/management-api';
import type { FakeFly } from '../fake-fly/fake-fly.ts';

/** In which the bench, as a proxy would, says from where a request comes. */
export const addressHeader = 'x-bench-address';

/** A control plane that serves. */
export interface ControlPlane extends AsyncDisposable {
  readonly url: string;
}

// By their addresses: the tools' build would take the whole package in with it. The same from sources and from the build.
const managementApi = new URL('../apps/management-api/', toolsFolder());
const program = fileURLToPath(new URL('bin/sp-management-api.js', managementApi));

/** Runs the built `sp-management-api serve` over a Postgres of its own, with Fly.io's stand-in. */
export async function startControlPlane(options: {
  readonly fly: FakeFly;
  readonly token: string;
  readonly organization: string;
}): Promise<ControlPlane> {
  const { fly, token, organization } = options;
  const { href } = new URL('dist/index.js', managementApi);
  const { startEmbeddedPostgres, removeEmbeddedPostgres } = (await import(href)) as typeof ManagementApi;
  const folder = await mkdtemp(join(tmpdir(), 'sp-bench-'));
  const dataDir = join(folder, 'postgres');
  const postgres = await startEmbeddedPostgres({ dataDir });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    DATABASE_URL: postgres.url,
    SP_API_BASE_URL: url,
    SP_API_LISTEN_HOST: '127.0.0.1',
    SP_API_PORT: String(port),
    SP_API_TRUSTED_PROXY_HEADER: addressHeader,
    SP_API_LOG_LEVEL: 'warn',
    SP_API_DRAIN_SECONDS: '0',
    SP_API_VAULT_KEY: randomBytes(32).toString('base64'),
    SP_API_REGISTRY_DIRECTORY: join(folder, 'registry'),
    SP_API_TENANT_DOMAIN: 'fly.dev',
    SP_API_IDENTITY: 'sandbox',
    SP_API_BILLING: 'sandbox',
    SP_API_MACHINES: 'fly',
    SP_API_FLY_TOKEN: token,
    SP_API_FLY_ORGANIZATION: organization,
    SP_API_FLY_API_URL: fly.url,
    SP_API_FLY_LOGS_URL: fly.url,
    SP_API_FLY_REGISTRY: fly.registry,
  };
  const run = (command: string): ChildProcess =>
    spawn(process.execPath, [program, command], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const migration = run('migrate');
  await once(migration, 'exit');
  if (migration.exitCode !== 0) throw new Error('The database could not be migrated');
  const server = run('serve');
  while (!(await isReady(url))) {
    if (server.exitCode !== null) throw new Error('The control plane did not start');
    await delay(100);
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM');
      if (server.exitCode === null) await once(server, 'exit');
      await postgres.stop();
      await removeEmbeddedPostgres({ dataDir });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The address of the folder `tools`, ending in a slash. */
function toolsFolder(): URL {
  const here = new URL('.', import.meta.url);
  return here.pathname.endsWith('/bench-provision/') ? new URL('../../', here) : new URL('../', here);
}

async function isReady(url: string): Promise<boolean> {
  return await fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen({ host: '127.0.0.1', port: 0 }, done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
