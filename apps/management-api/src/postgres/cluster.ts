import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { findFile, replaceFile } from '../local/atomic-file.ts';
import { LocalCloudError } from '../local/local-cloud-error.ts';
import type { PostgresBinaries } from './binaries.ts';
import { stopLeftover } from './leftover.ts';
import { canReach, type SystemUser } from './system-user.ts';

/** Where copies of the binaries and clusters go when the user's own folders are closed to Postgres' account. */
export const sharedFolder = '/var/lib/systemprompt';

const passwordFile = 'postgres-password';

/** A Postgres data folder, and the password of its superuser `postgres`. */
export interface Cluster {
  readonly folder: string;
  readonly password: string;
}

/** The places where the cluster of a data folder can be. */
export function clusterFolders(dataDir: string): { readonly own: string; readonly shared: string } {
  const id = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16);
  return { own: join(resolve(dataDir), 'cluster'), shared: join(sharedFolder, 'clusters', id) };
}

/** Finds the cluster of a data folder, or makes it. Repeatable: an interrupted attempt leaves nothing that counts. */
export async function prepareCluster(request: {
  readonly dataDir: string;
  readonly binaries: PostgresBinaries;
  readonly user: SystemUser | undefined;
  readonly signal: AbortSignal | undefined;
}): Promise<Cluster> {
  const { dataDir, binaries, user, signal } = request;
  const folders = clusterFolders(dataDir);
  const fresh = (await readdir(dataDir)).length === 0;
  // The data folder was removed and made again: what is left of it elsewhere has no password any more.
  if (fresh) await removeSharedCluster(folders.shared);

  const password = await findPassword(dataDir, { make: !existsSync(folders.own) && !existsSync(folders.shared) });
  if (existsSync(folders.shared)) return { folder: folders.shared, password };
  if (existsSync(folders.own)) return { folder: folders.own, password };

  const open = user === undefined || (await canReach(dataDir, user));
  const folder = open ? folders.own : folders.shared;
  await mkdir(dirname(folder), { recursive: true, mode: open ? 0o700 : 0o755 });
  await initialize({ folder, password, binaries, user, signal });
  if (!open) {
    await replaceFile(originFile(folder), resolve(dataDir));
    await removeOrphans(dirname(folder));
  }
  return { folder, password };
}

/** Stops what runs on a cluster and deletes it. */
export async function removeCluster(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  await stopLeftover(folder);
  await rm(folder, { recursive: true, force: true });
}

/** {@link removeCluster} for one in the shared folder. */
export async function removeSharedCluster(folder: string): Promise<void> {
  await removeCluster(folder);
  await rm(originFile(folder), { force: true });
}

/** Says whose a cluster in the shared folder is. */
function originFile(folder: string): string {
  return `${folder}.origin`;
}

// Whoever deletes a temporary folder does not know of the cluster that belongs to it and lives elsewhere. Other folders
// that are gone may be on a disk that is not there today.
async function removeOrphans(sharedClusters: string): Promise<void> {
  const temporary = await realpath(tmpdir());
  for (const name of await readdir(sharedClusters)) {
    if (!name.endsWith('.origin')) continue;
    const folder = join(sharedClusters, name.slice(0, -'.origin'.length));
    const origin = (await findFile(originFile(folder)))?.toString('utf8');
    if (origin?.startsWith(`${temporary}/`) && !existsSync(origin)) await removeSharedCluster(folder);
  }
}

/** The password of the superuser, from its file. */
export async function findPassword(dataDir: string, options: { readonly make: boolean }): Promise<string> {
  const path = join(dataDir, passwordFile);
  const stored = (await findFile(path))?.toString('utf8').trim();
  if (stored !== undefined && stored !== '') return stored;
  if (!options.make) {
    throw new LocalCloudError('SP_LOCAL_DATA_INVALID', { path, message: `Postgres' password is missing: ${path}` });
  }
  const password = randomBytes(24).toString('base64url');
  await replaceFile(path, password);
  return password;
}

async function initialize(request: {
  readonly folder: string;
  readonly password: string;
  readonly binaries: PostgresBinaries;
  readonly user: SystemUser | undefined;
  readonly signal: AbortSignal | undefined;
}): Promise<void> {
  const { folder, password, binaries, user, signal } = request;
  // initdb writes into a folder of its own, so that a cluster that has its final name is complete.
  const unfinished = `${folder}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  const data = join(unfinished, 'data');
  const pwfile = join(unfinished, 'pwfile');
  await mkdir(data, { mode: 0o700 });
  await writeFile(pwfile, `${password}\n`, { mode: 0o600, flag: 'wx' });
  if (user !== undefined) for (const path of [unfinished, data, pwfile]) await chown(path, user.uid, user.gid);
  const flags = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const result = await execa(
    binaries.initdb,
    [`--pgdata=${data}`, '--username=postgres', '--auth=scram-sha-256', `--pwfile=${pwfile}`, '--no-sync', ...flags],
    {
      ...user,
      cwd: '/',
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin', TZ: 'UTC' },
      extendEnv: false,
      reject: false,
      stdin: 'ignore',
      all: true,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    },
  );
  if (result.failed) {
    await rm(unfinished, { recursive: true, force: true });
    signal?.throwIfAborted();
    const reason = result.all?.trim().split('\n').slice(-5).join('; ') || result.shortMessage;
    throw new LocalCloudError('SP_LOCAL_POSTGRES_FAILED', {
      path: folder,
      reason,
      message: `Postgres' data folder ${folder} could not be made: ${reason}`,
    });
  }
  await rename(data, folder);
  await rm(unfinished, { recursive: true, force: true });
}
