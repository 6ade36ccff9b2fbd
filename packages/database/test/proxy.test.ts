import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type DatabaseError, type DatabaseProxy, describeDatabase, openProxy, runQuery } from '../src/index.ts';
import { needsPostgres, type PostgresServer, postgresFolder, startServer } from './support/postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  if (postgresFolder !== undefined) server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(needsPostgres);

async function proxyTo(search: string, onError?: (error: DatabaseError) => void): Promise<DatabaseProxy> {
  const proxy = await openProxy(`${server.url()}${search}`, onError === undefined ? {} : { onError });
  onTestFinished(() => proxy.close());
  return proxy;
}

test.each(['?sslmode=disable', '?sslmode=require', ''])(
  'a program reaches the database through the port (%s)',
  async (search) => {
    const proxy = await proxyTo(search);
    expect(new URL(proxy.url)).toMatchObject({
      hostname: '127.0.0.1',
      port: String(proxy.port),
      search: '?sslmode=disable',
    });
    const many = await Promise.all(
      Array.from({ length: 10 }, (_, n) => runQuery(proxy.url, `select ${n}, repeat('x', 1000000)`)),
    );
    expect(many.map(({ rows }) => rows[0]?.[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const encrypted = await runQuery(proxy.url, 'select ssl from pg_stat_ssl where pid = pg_backend_pid()');
    expect(encrypted.rows).toEqual([[search !== '?sslmode=disable']]);
  },
);

test('a program that asks for encryption hears that there is none on this side, and goes on without', async () => {
  const proxy = await proxyTo('?sslmode=require');
  const url = proxy.url.replace('sslmode=disable', 'sslmode=prefer');
  expect(await describeDatabase(url)).toMatchObject({ encrypted: true });
});

test('a certificate that is not trusted ends the connection, and is told', async () => {
  const errors: DatabaseError[] = [];
  const proxy = await proxyTo('?sslmode=verify-full', (error) => errors.push(error));
  await expect(describeDatabase(proxy.url)).rejects.toMatchObject({ code: 'SP_DATABASE_UNREACHABLE' });
  expect(errors.map(({ code }) => code)).toContain('SP_DATABASE_UNREACHABLE');
  const trusting = await proxyTo(
    `?sslmode=verify-full&sslrootcert=${encodeURIComponent(`${server.folder}/server.crt`)}`,
  );
  expect(await describeDatabase(trusting.url)).toMatchObject({ encrypted: true });
});

test('a server that injects words before the encryption, or does not encrypt, is refused', async () => {
  for (const answer of ['SX', 'N', 'E']) {
    const liar = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(answer));
    });
    liar.listen(0, '127.0.0.1');
    await once(liar, 'listening');
    onTestFinished(() => void liar.close());
    const errors: DatabaseError[] = [];
    const target = `postgres://a:b@127.0.0.1:${(liar.address() as AddressInfo).port}/c?sslmode=require`;
    const proxy = await openProxy(target, { onError: (error) => errors.push(error) });
    onTestFinished(() => proxy.close());
    await expect(describeDatabase(proxy.url)).rejects.toMatchObject({ code: 'SP_DATABASE_UNREACHABLE' });
    expect(errors, answer).toHaveLength(1);
  }
});

test('closing ends the connections, also those that have said nothing', async () => {
  const proxy = await proxyTo('?sslmode=disable');
  const silent = connect({ host: '127.0.0.1', port: proxy.port });
  await once(silent, 'connect');
  const running = runQuery(proxy.url, 'select pg_sleep(60)').catch((error: unknown) => error);
  await expect
    .poll(
      async () =>
        (await runQuery(server.url(), `select count(*)::int from pg_stat_activity where query = 'select pg_sleep(60)'`))
          .rows,
    )
    .toEqual([[1]]);
  const closed = once(silent, 'close');
  await proxy.close();
  await closed;
  expect(await running).toMatchObject({ code: 'SP_DATABASE_UNREACHABLE' });
});

test('a port that is taken is named', async () => {
  const first = await proxyTo('');
  await expect(openProxy(server.url(), { port: first.port })).rejects.toMatchObject({
    code: 'SP_DATABASE_PORT_BUSY',
    port: first.port,
  });
});

test('aborting closes the port', async () => {
  const abort = new AbortController();
  const proxy = await openProxy(server.url(), { signal: abort.signal });
  abort.abort();
  await expect(describeDatabase(proxy.url)).rejects.toMatchObject({ code: 'SP_DATABASE_UNREACHABLE' });
});
