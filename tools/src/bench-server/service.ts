import { randomBytes } from 'node:crypto';
import { openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '@sp/management-api';
import { startChild } from './child.ts';

/** The program `sp-management-api serve` as an operator runs it, over a Postgres of its own. */
export interface Service {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  readonly databaseUrl: string;
  stop(): Promise<void>;
}

export async function startService(root: string): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), 'sp-bench-server-'));
  const dataDir = join(folder, 'postgres');
  const postgres = await startEmbeddedPostgres({ dataDir });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = startChild([join(root, 'apps/management-api/bin/sp-management-api.js'), 'serve', '--migrate'], {
    stdout: openSync(join(folder, 'log'), 'w'),
    env: {
      SP_API_BASE_URL: url,
      SP_API_LISTEN_HOST: '127.0.0.1',
      SP_API_PORT: String(port),
      SP_API_DRAIN_SECONDS: '0',
      SP_API_SHUTDOWN_SECONDS: '1',
      // Each pretended person has an address of their own.
      SP_API_TRUSTED_PROXY_HEADER: 'x-bench-address',
      DATABASE_URL: postgres.url,
      SP_API_VAULT_KEY: randomBytes(32).toString('base64'),
      SP_API_REGISTRY_DIRECTORY: join(folder, 'registry'),
      SP_API_TENANT_DOMAIN: 'tenants.example.com',
      // Counted as ever, and never refused: 300 people send what a hundred thousand would.
      SP_API_USER_RATE_LIMIT: '1000000',
      SP_API_ADDRESS_RATE_LIMIT: '1000000',
      // Measures what it does, as an operator's does.
      SP_API_METRICS_TOKEN: randomBytes(24).toString('base64url'),
      // Asked for nothing here: nobody buys a tenant.
      SP_API_MACHINES: 'fly',
      SP_API_FLY_TOKEN: 'none',
      SP_API_FLY_ORGANIZATION: 'none',
      SP_API_FLY_API_URL: 'http://127.0.0.1:1',
      SP_API_FLY_LOGS_URL: 'http://127.0.0.1:1',
      SP_API_IDENTITY: 'sandbox',
      SP_API_BILLING: 'sandbox',
    },
  });
  const stop = async (): Promise<void> => {
    await child.stop();
    await postgres.stop();
    await removeEmbeddedPostgres({ dataDir });
    await rm(folder, { recursive: true, force: true });
  };
  try {
    while (!(await isUp(url))) {
      if (child.process.exitCode !== null) throw new Error('The service did not start');
      await new Promise((done) => setTimeout(done, 50));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, url, pid: child.process.pid ?? 0, databaseUrl: postgres.url, stop };
}

async function isUp(url: string): Promise<boolean> {
  return await fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
