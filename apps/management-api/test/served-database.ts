import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Configuration, loadConfiguration } from '../src/configuration/configuration.ts';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/postgres/embedded.ts';
import { openStore } from '../src/store/database.ts';
import { migrateStore } from '../src/store/migrate.ts';

/** What `serve` needs, with a database that can be taken away from it. */
export interface ServedDatabase {
  readonly configuration: Configuration;
  readonly folder: string;
  readonly databaseName: string;
  /** A connection to another database of the server, which stays. */
  readonly admin: Client;
  close(): Promise<void>;
}

/** A migrated database on a Postgres of its own, and the configuration of a service with sandboxes over it. */
export async function startServedDatabase(tenantDomain: string): Promise<ServedDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'sp-served-'));
  const dataDir = join(folder, 'postgres');
  const postgres = await startEmbeddedPostgres({ dataDir });
  const first = new Client({ connectionString: postgres.url });
  await first.connect();
  await first.query('create database elsewhere');
  await first.end();
  const adminUrl = new URL(postgres.url);
  adminUrl.pathname = '/elsewhere';
  const admin = new Client({ connectionString: adminUrl.href });
  await admin.connect();
  const store = await openStore(postgres.url);
  await migrateStore(store);
  await store.close();
  const env = {
    SP_API_BASE_URL: 'http://127.0.0.1:7300',
    SP_API_LISTEN_HOST: '127.0.0.1',
    SP_API_PORT: '0',
    SP_API_DRAIN_SECONDS: '0',
    DATABASE_URL: postgres.url,
    SP_API_VAULT_KEY: randomBytes(32).toString('base64'),
    SP_API_REGISTRY_DIRECTORY: join(folder, 'registry'),
    SP_API_MACHINES_DIRECTORY: join(folder, 'machines'),
    SP_API_TENANT_DOMAIN: tenantDomain,
    SP_API_MACHINES: 'process',
    SP_API_IDENTITY: 'sandbox',
    SP_API_BILLING: 'sandbox',
  };
  return {
    configuration: loadConfiguration({ env, readFile: () => '' }),
    folder,
    databaseName: new URL(postgres.url).pathname.slice(1),
    admin,
    close: async () => {
      await admin.end();
      await postgres.stop();
      await removeEmbeddedPostgres({ dataDir });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
