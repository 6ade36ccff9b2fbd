import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Service, startService } from '../src/serve/start-service.ts';
import { type ServedDatabase, startServedDatabase } from './served-database.ts';

let served: ServedDatabase;
let service: Service;
beforeAll(async () => {
  served = await startServedDatabase('localhost:7300');
  service = await startService(served.configuration, { logger: pino({ enabled: false }) });
});
afterAll(async () => {
  await service?.stop();
  await served?.close();
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
  await served.admin.query(`alter database ${database} allow_connections false`);
  try {
    await served.admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name like $2',
      [database, applications],
    );
    return await work();
  } finally {
    await served.admin.query(`alter database ${database} allow_connections true`);
  }
}

test('is ready with everything that it needs', async () => {
  expect(await ready()).toEqual({ status: 200, parts: all });
});

test('is not ready while the engine’s database is away, and is again when it is back', {
  timeout: 180_000,
}, async () => {
  const away = await without(`${served.databaseName}_dbos`, '%', () => readyUntil(503));
  expect(away.parts).toEqual({ ...all, workflows: 'failed' });
  expect((await readyUntil(200)).parts).toEqual(all);
});

test('is not ready while other replicas take it for dead', async () => {
  const away = await without(served.databaseName, 'sp-management-api executor', () => readyUntil(503));
  expect(away.parts).toMatchObject({ workflows: 'failed' });
  expect((await readyUntil(200)).parts).toEqual(all);
});
