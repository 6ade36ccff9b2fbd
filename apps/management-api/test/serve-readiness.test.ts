import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfiguration } from '../src/configuration/configuration.ts';
import { type EmbeddedPostgres, removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/postgres/embedded.ts';
import { type Service, startService } from '../src/serve/start-service.ts';
import { openStore } from '../src/store/database.ts';
import { migrateStore } from '../src/store/migrate.ts';

let folder: string;
let postgres: EmbeddedPostgres;
let admin: Client;
let service: Service;
let databaseName: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-readiness-'));
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  databaseName = new URL(postgres.url).pathname.slice(1);
  // From a database that stays open.
  const first = new Client({ connectionString: postgres.url });
  await first.connect();
  await first.query('create database elsewhere');
  await first.end();
  const adminUrl = new URL(postgres.url);
  adminUrl.pathname = '/elsewhere';
  admin = new Client({ connectionString: adminUrl.href });
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
    SP_API_TENANT_DOMAIN: 'localhost:7300',
    SP_API_MACHINES: 'process',
    SP_API_IDENTITY: 'sandbox',
    SP_API_BILLING: 'sandbox',
  };
  const configuration = loadConfiguration({ env, readFile: () => '' });
  service = await startService(configuration, { logger: pino({ enabled: false }) });
});
afterAll(async () => {
  await service?.stop();
  await admin?.end();
  await postgres?.stop();
  await removeEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  await rm(folder, { recursive: true, force: true });
});

interface Readiness {
  readonly status: number;
  readonly parts: Readonly<Record<string, string>>;
}

async function ready(): Promise<Readiness> {
  const response = await fetch(`http://127.0.0.1:${service.port}/readyz`);
  return { status: response.status, parts: ((await response.json()) as { parts: Record<string, string> }).parts };
}

/** Looks until it is as wanted; the test's time is the only limit. */
async function readyUntil(wanted: number): Promise<Readiness> {
  for (;;) {
    const seen = await ready();
    if (seen.status === wanted) return seen;
    await delay(50);
  }
}

const all = { database: 'ok', migrations: 'ok', workflows: 'ok', serving: 'ok' };

/** Closes a database for connections of some name, and opens it again. */
async function without<T>(database: string, applications: string, work: () => Promise<T>): Promise<T> {
  await admin.query(`alter database ${database} allow_connections false`);
  try {
    await admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name like $2',
      [database, applications],
    );
    return await work();
  } finally {
    await admin.query(`alter database ${database} allow_connections true`);
  }
}

test('is ready with everything that it needs', async () => {
  expect(await ready()).toEqual({ status: 200, parts: all });
});

test('is not ready while the engine’s database is away, and is again when it is back', {
  timeout: 120_000,
}, async () => {
  const away = await without(`${databaseName}_dbos`, '%', () => readyUntil(503));
  expect(away.parts).toEqual({ ...all, workflows: 'failed' });
  expect((await readyUntil(200)).parts).toEqual(all);
});

test('is not ready while other replicas take it for dead', { timeout: 120_000 }, async () => {
  const away = await without(databaseName, 'sp-management-api executor', () => readyUntil(503));
  expect(away.parts).toMatchObject({ workflows: 'failed' });
  expect((await readyUntil(200)).parts).toEqual(all);
});
