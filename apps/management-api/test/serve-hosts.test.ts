import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Configuration } from '../src/configuration/configuration.ts';
import { type Service, startService } from '../src/serve/start-service.ts';
import { type ServedDatabase, startServedDatabase } from './served-database.ts';

let served: ServedDatabase;
let service: Service;
let configuration: Configuration;
const logged: string[] = [];

beforeAll(async () => {
  served = await startServedDatabase('example.com');
  // As containers are served in public, whose engine is not everywhere; and below the tenants' own domain.
  configuration = { ...served.configuration, baseUrl: 'https://api.example.com' };
  const logger = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
  service = await startService(configuration, { logger });
});
afterAll(async () => {
  await service?.stop();
  await served?.close();
});

async function ask(host: string, path: string): Promise<{ status: number | undefined; body: unknown }> {
  return await new Promise((done, fail) => {
    const request = httpRequest({ host: '127.0.0.1', port: service.port, path, headers: { host }, agent: false });
    request.once('error', fail);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        done({ status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown });
      });
    });
    request.end();
  });
}

const alive = { status: 200, body: { status: 'ok' } };

test('the API is reached below the tenants’ domain, and what is beside it there is a tenant’s', async () => {
  expect(await ask('api.example.com', '/healthz')).toEqual(alive);
  expect(await ask('API.example.com:443', '/.well-known/jwks.json')).toMatchObject({ status: 200 });
  expect(await ask('shop-1a2b.example.com', '/healthz')).toMatchObject({
    status: 404,
    body: { error: { code: 'tenant_unknown' } },
  });
  // Nobody's domain.
  expect(await ask('other.example.org', '/healthz')).toEqual(alive);
});

test('a second one with another key ends before it has touched a machine, and one with the same machines too', async () => {
  const logger = pino({ enabled: false });
  const machinesDirectory = join(served.folder, 'other-machines');
  const vaultKey = new Uint8Array(randomBytes(32));
  await expect(startService({ ...configuration, vaultKey, machinesDirectory }, { logger })).rejects.toThrow(
    'Not sealed',
  );
  expect(existsSync(machinesDirectory)).toBe(false);
  await expect(startService(configuration, { logger })).rejects.toMatchObject({ code: 'SP_MACHINES_IN_USE' });
});

test('while the database is away it lives, says that it is not ready, and logs what it cannot answer', async () => {
  await served.admin.query(`alter database ${served.databaseName} allow_connections false`);
  try {
    await served.admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      served.databaseName,
    ]);
    expect(await ask('api.example.com', '/healthz')).toEqual(alive);
    expect(await ask('10.0.0.7:8080', '/healthz')).toEqual(alive);
    expect(await ask('other.example.org', '/healthz')).toEqual(alive);
    expect(await ask('api.example.com', '/readyz')).toMatchObject({ status: 503 });
    logged.length = 0;
    expect(await ask('other.example.org', '/')).toMatchObject({ status: 500, body: { error: { code: 'internal' } } });
    expect(await ask('shop-1a2b.example.com', '/')).toMatchObject({ status: 500 });
    const lines = logged.map((line) => JSON.parse(line) as { host?: string });
    expect(lines.flatMap(({ host }) => host ?? [])).toEqual(['other.example.org', 'shop-1a2b.example.com']);
  } finally {
    await served.admin.query(`alter database ${served.databaseName} allow_connections true`);
  }
});
