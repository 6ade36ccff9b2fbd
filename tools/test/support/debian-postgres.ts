import { execFile } from 'node:child_process';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPostgres } from './require-part.ts';

const run = promisify(execFile);

/** A Postgres server of the version whose programs are installed, which the embedded one need not be. */
export interface DebianPostgres extends AsyncDisposable {
  readonly password: string;
  /** Of the superuser. */
  url(database: string): string;
}

export async function startDebianPostgres(): Promise<DebianPostgres> {
  const bin = findPostgres() ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'sp-debian-postgres-'));
  const password = 'planted-database-password';
  const data = join(folder, 'data');
  await writeFile(join(folder, 'password'), password, { mode: 0o600 });
  const user = await postgresUser();
  for (const path of [folder, join(folder, 'password')]) await chown(path, user.uid, user.gid);
  const as = { ...user, cwd: '/' };
  const flags = ['-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', join(folder, 'password'), '--no-sync'];
  await run(join(bin, 'initdb'), ['-D', data, ...flags], as);
  const port = await freePort();
  const control = (...args: string[]) => run(join(bin, 'pg_ctl'), ['-D', data, '--wait', ...args], as);
  await control('--log', join(folder, 'log'), '-o', `-p ${port} -h 127.0.0.1 -k '' -c fsync=off`, 'start');
  return {
    password,
    url: (database) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`,
    [Symbol.asyncDispose]: async () => {
      await control('--mode', 'immediate', 'stop');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

// Postgres refuses to run as root; its package makes an account for it.
async function postgresUser(): Promise<{ uid: number; gid: number }> {
  const [own, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  if (own !== 0) return { uid: own, gid: group };
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((each) => each.startsWith('postgres:'));
  const [, , uid, gid] = (line ?? '').split(':');
  return { uid: Number(uid), gid: Number(gid) };
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
