import { join } from 'node:path';
import { Client, escapeIdentifier } from 'pg';
import { startEmbeddedPostgres } from '../postgres/embedded.ts';

const name = 'systemprompt';
// Docker takes its networks out of them.
const bridgeNetworks = ['172.16.0.0/12', '192.168.0.0/16'];

/** The server that holds the control plane's database and those of the tenants. */
export interface LocalDatabase {
  /** Of a role that may make roles and databases. */
  readonly adminUrl: string;
  /** Of the control plane's own database. */
  readonly storeUrl: string;
  close(): Promise<void>;
}

/** Uses the Postgres given, or runs one; containers reach ours at `gateway`. */
export async function openLocalDatabase(request: {
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly gateway: string | undefined;
  readonly signal: AbortSignal | undefined;
}): Promise<LocalDatabase> {
  const { dataDir, databaseUrl, gateway, signal } = request;
  if (databaseUrl !== undefined) {
    return { adminUrl: databaseUrl, storeUrl: databaseUrl, close: async () => {} };
  }
  const server = await startEmbeddedPostgres({
    dataDir: join(dataDir, 'postgres'),
    listenAddresses: gateway === undefined ? ['127.0.0.1'] : ['127.0.0.1', gateway],
    allowedNetworks: gateway === undefined ? [] : bridgeNetworks,
    signal,
  });
  try {
    await createDatabase(server.url);
  } catch (error) {
    await server.stop();
    throw error;
  }
  const storeUrl = new URL(server.url);
  storeUrl.pathname = `/${name}`;
  return { adminUrl: server.url, storeUrl: storeUrl.href, close: () => server.stop() };
}

async function createDatabase(adminUrl: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}
