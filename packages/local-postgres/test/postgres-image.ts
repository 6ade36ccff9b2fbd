import { execFile } from 'node:child_process';
import { access, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const installed = '/usr/lib/postgresql';
export const testImage = 'systemprompt-test/postgres:local';

// Behaves as the official image does, as far as it matters: the role and its password are made with the data, once.
const entrypoint = `#!/bin/sh
set -e
data=/var/lib/postgresql/data
if [ ! -e "$data/PG_VERSION" ]; then
  umask 077
  printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
  initdb -D "$data" -U "$POSTGRES_USER" --pwfile=/tmp/password -A scram-sha-256 --auth-local=trust -E UTF8 --locale=C --no-sync >/dev/null
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
fi
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql -c fsync=off
`;

/** Whether this machine can run Postgres in Docker. */
export async function canRunPostgres(): Promise<boolean> {
  try {
    await run('docker', ['version']);
    await run('docker', ['compose', 'version']).catch(() => run('docker-compose', ['version']));
    return (await readdir(installed)).length > 0;
  } catch {
    return false;
  }
}

/** Makes an image of the Postgres that is installed here: no image can be had from elsewhere. */
export async function buildTestImage(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'sp-postgres-image-'));
  try {
    const version = (await readdir(installed)).sort((a, b) => Number(b) - Number(a))[0] ?? '';
    const names = ['postgres', 'initdb', 'psql', 'pg_isready', 'pg_dump', 'pg_restore'];
    const programs = names.map((name) => join(installed, version, 'bin', name));
    const shell = ['/bin/sh', '/bin/rm', '/usr/bin/chown'];
    await copyTree(root, join(installed, version, 'lib'));
    await copyTree(root, join('/usr/share/postgresql', version));
    await copyTree(root, '/usr/share/zoneinfo');
    for (const file of [...programs, ...shell]) await copyWithLibraries(root, file);
    const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((each) => each.startsWith('postgres:')) ?? '';
    const [, , uid = '', gid = ''] = line.split(':');
    const files = {
      'etc/passwd': `postgres:x:${uid}:${gid}::/var/lib/postgresql:/bin/sh\n`,
      'etc/group': `postgres:x:${gid}:\n`,
      'entrypoint.sh': entrypoint,
    };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text, { mode: name.endsWith('.sh') ? 0o755 : 0o644 });
    }
    for (const folder of ['tmp', 'var/lib/postgresql', 'var/run/postgresql'])
      await mkdir(join(root, folder), { recursive: true });
    await run('chown', ['-R', `${uid}:${gid}`, join(root, 'tmp'), join(root, 'var')]);
    const changes = [
      'USER postgres',
      `ENV PATH=${join(installed, version, 'bin')}:/usr/bin:/bin`,
      'VOLUME /var/lib/postgresql',
      'ENTRYPOINT ["/entrypoint.sh"]',
    ];
    const archive = `${root}.tar`;
    await run('tar', ['-C', root, '-cf', archive, '.']);
    await run('docker', ['import', ...changes.flatMap((change) => ['--change', change]), archive, testImage]);
    await rm(archive);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function copyTree(root: string, folder: string): Promise<void> {
  await mkdir(dirname(join(root, folder)), { recursive: true });
  await cp(folder, join(root, folder), { recursive: true, dereference: true });
}

async function copyWithLibraries(root: string, file: string): Promise<void> {
  const { stdout } = await run('ldd', [file]).catch(() => ({ stdout: '' }));
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
  for (const path of [file, ...libraries]) {
    const target = join(root, path);
    if (
      await access(target).then(
        () => true,
        () => false,
      )
    )
      continue;
    await mkdir(dirname(target), { recursive: true });
    await cp(path, target, { dereference: true });
  }
}
