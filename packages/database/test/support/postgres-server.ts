import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);
const parent = '/usr/lib/postgresql';

/** The folder with a whole Postgres: server and programs of the same version; `undefined` where none is installed. */
export const postgresFolder: string | undefined = await findFolder();

/** Skips the test by name where Postgres is absent; with `postgres` in `SP_REQUIRE` its absence is a failure. */
export function needsPostgres(context: { skip(note: string): void }): void {
  if (postgresFolder !== undefined) return;
  if ((process.env['SP_REQUIRE'] ?? '').split(',').includes('postgres')) {
    throw new Error('SP_REQUIRE names postgres, and it is absent');
  }
  context.skip('needs an installed Postgres');
}

/** A Postgres server of the test's own. */
export interface PostgresServer {
  readonly folder: string;
  readonly port: number;
  /** Of the superuser `postgres`. */
  url(database?: string): string;
  stop(): Promise<void>;
}

/** Password of the superuser: found nowhere but in URLs and environments. */
export const serverPassword = 'p@ss/w:rd %41 äö';

/** Starts a server in a temporary folder, with TLS by a certificate of its own for `localhost`. */
export async function startServer(): Promise<PostgresServer> {
  if (postgresFolder === undefined) throw new Error('There is no Postgres.');
  const folder = await mkdtemp(join(tmpdir(), 'sp-database-'));
  const user = await postgresUser();
  const data = join(folder, 'data');
  await mkdir(data, { mode: 0o700 });
  await writeFile(join(folder, 'password'), serverPassword, { mode: 0o600 });
  const key = join(folder, 'server.key');
  const certificate = join(folder, 'server.crt');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    ...subject,
    '-keyout',
    key,
    '-out',
    certificate,
  ]);
  if (user !== undefined)
    for (const path of [folder, data, key, join(folder, 'password')]) await chown(path, user.uid, user.gid);
  const initdb = [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'scram-sha-256',
    '--pwfile',
    join(folder, 'password'),
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  await run(join(postgresFolder, 'initdb'), initdb, { ...user, cwd: '/' });
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: 'localhost',
    unix_socket_directories: '',
    fsync: 'off',
    ssl: 'on',
    ssl_cert_file: certificate,
    ssl_key_file: key,
    password_encryption: 'scram-sha-256',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(postgresFolder, 'postgres'), ['-D', data, ...flags], { ...user, cwd: '/', stdio: 'ignore' });
  await ready(data, child);
  const stop = async (): Promise<void> => {
    const exited = new Promise((done) => child.once('exit', done));
    if (child.exitCode === null) {
      child.kill('SIGINT');
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const url = (database = 'postgres'): string =>
    `postgres://postgres:${encodeURIComponent(serverPassword)}@localhost:${port}/${encodeURIComponent(database)}`;
  return { folder, port, url, stop };
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sp-database-files-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function findFolder(): Promise<string | undefined> {
  const versions = (await readdir(parent).catch((): string[] => [])).sort((a, b) => Number(b) - Number(a));
  for (const version of versions) {
    const folder = join(parent, version, 'bin');
    const names = await readdir(folder).catch((): string[] => []);
    if (['initdb', 'postgres', 'pg_dump', 'pg_restore', 'psql'].every((name) => names.includes(name))) return folder;
  }
  return undefined;
}

// Postgres refuses to run as root; the package makes an account for it.
async function postgresUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((each) => each.startsWith('postgres:'));
  const [, , uid, gid] = (line ?? '').split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

async function ready(data: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const file = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
    if (file.split('\n')[7]?.trim() === 'ready') return;
    await delay(20);
  }
  throw new Error(`Postgres ended with ${child.exitCode}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  return await new Promise((done) =>
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    }),
  );
}
