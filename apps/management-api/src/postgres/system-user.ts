import { execa } from 'execa';
import { LocalCloudError } from '../local/local-cloud-error.ts';

/** An account of this computer, by number. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account that Postgres has to run as, when it cannot be our own: it refuses to run as root.
 * `postgres` where it exists or can be made, else `nobody`.
 */
export async function findPostgresUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await findUser('postgres');
  if (existing !== undefined) return existing;
  await execa('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'], {
    reject: false,
    stdin: 'ignore',
  });
  const user = (await findUser('postgres')) ?? (await findUser('nobody'));
  if (user !== undefined) return user;
  throw new LocalCloudError('SP_LOCAL_POSTGRES_UNAVAILABLE', {
    reason: 'Postgres refuses to run as root, and there is no other account for it',
    message: 'Postgres cannot start: it refuses to run as root, and neither `postgres` nor `nobody` is an account here',
  });
}

async function findUser(name: string): Promise<SystemUser | undefined> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map((flag) => execa('id', [flag, name], { reject: false, stdin: 'ignore' })),
  );
  if (uid?.exitCode !== 0 || gid?.exitCode !== 0) return undefined;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** Whether the account can enter a folder or run a program: every folder above it has to be open to it, too. */
export async function canReach(path: string, user: SystemUser): Promise<boolean> {
  const { exitCode } = await execa('test', ['-x', path], { ...user, cwd: '/', reject: false, stdin: 'ignore' });
  return exitCode === 0;
}
