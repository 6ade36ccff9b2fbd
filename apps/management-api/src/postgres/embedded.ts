import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdir, open, readFile, realpath, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findFile, replaceFile } from '../local/atomic-file.ts';
import { LocalCloudError } from '../local/local-cloud-error.ts';
import { findBinaries, makeReachable, type PostgresBinaries } from './binaries.ts';
import {
  type Cluster,
  clusterFolders,
  prepareCluster,
  removeCluster,
  removeSharedCluster,
  sharedFolder,
} from './cluster.ts';
import { readPostmasterFile, stopLeftover, stopPostmaster } from './leftover.ts';
import { findPostgresUser, type SystemUser } from './system-user.ts';

/** How to run a private Postgres. */
export interface EmbeddedPostgresOptions {
  /** Folder of its own; made when missing. */
  readonly dataDir: string;
  /** 0 takes the port of the last time when it is free, else any. @defaultValue 0 */
  readonly port?: number | undefined;
  /** @defaultValue `['127.0.0.1']` */
  readonly listenAddresses?: readonly string[] | undefined;
  /** Networks besides this computer that may log in, in CIDR notation. @defaultValue `[]` */
  readonly allowedNetworks?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A Postgres server that runs for us. */
export interface EmbeddedPostgres {
  /** Of the superuser, database `postgres`; holds the password. */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  /** Lets it run on when this process ends. */
  release(): void;
}

/**
 * Runs a private Postgres: initialises its data on first use, stops one that a killed process left behind, and returns
 * when it accepts connections.
 * @throws {LocalCloudError} SP_LOCAL_POSTGRES_UNAVAILABLE, SP_LOCAL_POSTGRES_FAILED, SP_LOCAL_DATA_INVALID
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { port = 0, listenAddresses = ['127.0.0.1'], allowedNetworks = [], signal } = options;
  const user = await findPostgresUser();
  // Postgres' account has to pass through; the files in it are closed one by one.
  await mkdir(options.dataDir, { recursive: true, mode: user === undefined ? 0o700 : 0o711 });
  const dataDir = await realpath(options.dataDir);
  const found = await findBinaries();
  const binaries = user === undefined ? found : await makeReachable(found, { user, sharedFolder });
  const cluster = await prepareCluster({ dataDir, binaries, user, signal });
  await stopLeftover(cluster.folder);
  await writeAccessRules(cluster.folder, { allowedNetworks, user });

  // A port that was free a moment ago can be taken by somebody else before Postgres has it: try again with another.
  for (let attempt = 1; ; attempt += 1) {
    const chosen = port === 0 ? await choosePort(dataDir) : port;
    try {
      const child = await launch({ binaries, cluster, dataDir, listenAddresses, port: chosen, signal, user });
      await replaceFile(join(dataDir, 'postgres-port'), `${chosen}\n`);
      return {
        port: chosen,
        url: `postgresql://postgres:${cluster.password}@127.0.0.1:${chosen}/postgres`,
        stop: () => stop(child),
        release: () => child.unref(),
      };
    } catch (error) {
      if (attempt === 3 || signal?.aborted || !(error instanceof LocalCloudError)) throw error;
    }
  }
}

/** Stops and deletes the Postgres of a data folder, also what of it had to live elsewhere. */
export async function removeEmbeddedPostgres(options: { readonly dataDir: string }): Promise<void> {
  const dataDir = await realpath(options.dataDir).catch(() => resolve(options.dataDir));
  const { own, shared } = clusterFolders(dataDir);
  await removeCluster(own);
  await removeSharedCluster(shared);
  await rm(dataDir, { recursive: true, force: true });
}

async function launch(request: {
  readonly binaries: PostgresBinaries;
  readonly cluster: Cluster;
  readonly dataDir: string;
  readonly listenAddresses: readonly string[];
  readonly port: number;
  readonly signal: AbortSignal | undefined;
  readonly user: SystemUser | undefined;
}): Promise<ChildProcess> {
  const { binaries, cluster, dataDir, signal } = request;
  const settings = {
    listen_addresses: request.listenAddresses.join(','),
    port: String(request.port),
    // A socket's path may have 107 bytes, and data folders are deeper than that.
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '32MB',
    password_encryption: 'scram-sha-256',
    log_timezone: 'UTC',
    timezone: 'UTC',
    log_min_duration_statement: '-1',
    log_statement: 'none',
  };
  const logPath = join(dataDir, 'postgres.log');
  const log = await open(logPath, 'w', 0o600);
  let child: ChildProcess;
  try {
    child = spawn(
      binaries.postgres,
      ['-D', cluster.folder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      {
        ...request.user,
        cwd: '/',
        // A group of its own: Ctrl-C in the terminal is for us, and we stop Postgres after its last client.
        detached: true,
        env: { LC_ALL: 'C', PATH: '/usr/bin:/bin', TZ: 'UTC' },
        stdio: ['ignore', log.fd, log.fd],
      },
    );
    await new Promise((done, fail) => child.once('spawn', done).once('error', fail));
  } finally {
    await log.close();
  }
  while (true) {
    const file = await readPostmasterFile(cluster.folder);
    if (file?.ready === true && file.pid === child.pid) return child;
    if (child.exitCode !== null || child.signalCode !== null) {
      const reason = (await readFile(logPath, 'utf8')).trim().split('\n').slice(-5).join('; ');
      throw new LocalCloudError('SP_LOCAL_POSTGRES_FAILED', {
        path: dataDir,
        port: request.port,
        reason,
        message: `Postgres of ${dataDir} did not start: ${reason}`,
      });
    }
    if (signal?.aborted) {
      await stop(child);
      signal.throwIfAborted();
    }
    await delay(20);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((done) => child.once('exit', done));
  await stopPostmaster(child.pid);
  await exited;
}

async function writeAccessRules(
  folder: string,
  options: { readonly allowedNetworks: readonly string[]; readonly user: SystemUser | undefined },
): Promise<void> {
  const networks = ['127.0.0.1/32', '::1/128', ...options.allowedNetworks];
  const path = join(folder, 'pg_hba.conf');
  await replaceFile(path, networks.map((network) => `host all all ${network} scram-sha-256\n`).join(''));
  if (options.user !== undefined) await chown(path, options.user.uid, options.user.gid);
}

// Tenants' machines know the database by its port: it stays the same as long as that is possible.
async function choosePort(dataDir: string): Promise<number> {
  const last = Number((await findFile(join(dataDir, 'postgres-port')))?.toString('utf8') ?? '0');
  const free = Number.isInteger(last) && last > 0 && last < 65_536 ? await tryPort(last) : undefined;
  return free ?? (await tryPort(0)) ?? 0;
}

async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer();
  return await new Promise((done) => {
    server.once('error', () => done(undefined));
    server.listen({ host: '127.0.0.1', port }, () => {
      const chosen = (server.address() as AddressInfo).port;
      server.close(() => done(chosen));
    });
  });
}
