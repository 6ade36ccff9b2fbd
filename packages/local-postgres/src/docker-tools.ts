import { type DatabaseAddress, type ToolPlace, toPostgresEnvironment } from '@sp/database';
import { type Docker, openDocker } from './docker.ts';
import { isLocalPostgresError } from './local-postgres-error.ts';
import { defaultName } from './start-docker-postgres.ts';

/** How to run Postgres' own programs in Docker. */
export interface DockerToolsOptions {
  /** The container of local tenants: a database that is in it is worked on in it. @defaultValue 'systemprompt-postgres-shared' */
  readonly name?: string | undefined;
  /** Of the containers that are made for other databases. @defaultValue `postgres:<major version of the server>-alpine` */
  readonly image?: string | undefined;
  /** Uses Docker also where this computer has programs that would do. @defaultValue false */
  readonly preferred?: boolean | undefined;
  /** The Docker program. @defaultValue 'docker' */
  readonly binary?: string | undefined;
  /** As `process.platform` says: where Docker runs in a machine of its own, this computer has another name there. @defaultValue 'linux' */
  readonly platform?: NodeJS.Platform | undefined;
  /** Called before an image is fetched, which can take minutes. */
  readonly onFetch?: ((image: string) => void) | undefined;
}

/**
 * Lets backups be made and restored by Docker where this computer has no `pg_dump` that is new enough: in the container
 * of local tenants, else in one that is made for this and is gone afterwards. The data goes through the program's input
 * and output, the password through its environment.
 */
export function createDockerTools(options: DockerToolsOptions = {}): ToolPlace {
  const { name = defaultName, image, preferred = false, binary = 'docker', platform = 'linux', onFetch } = options;
  return {
    preferred,
    find: async (tool, { address, serverMajor, signal }) => {
      try {
        const docker = await openDocker({ binary, compose: false, signal });
        const own = await docker.find(name);
        if (own?.running === true && own.port === address.port && isLoopback(address.host)) {
          const inside = { ...address, host: '127.0.0.1', port: 5432 };
          const exec = ['exec', '--interactive', ...passedOn(inside), name, tool];
          const version = versionIn(await docker.run(['exec', name, tool, '--version']).catch(() => ''));
          if (version >= serverMajor) return { path: binary, arguments: exec, address: inside, version };
        }
        if (address.rootCertificate !== undefined)
          return { problem: 'in Docker the certificate of the URL is not seen' };
        // Any version: the one that is there already, where there are local tenants.
        const wanted = image ?? `postgres:${serverMajor === 0 ? 18 : serverMajor}-alpine`;
        await fetchImage(docker, { image: wanted, onFetch });
        const version = versionIn(await docker.run(['run', '--rm', '--entrypoint', tool, wanted, '--version']));
        if (version < serverMajor) return { problem: `${wanted} has ${tool} ${version}` };
        const { network, address: outside } = reach(address, platform);
        // Without the log, which would take the whole dump a second time.
        const how = ['--rm', '--init', '--interactive', '--log-driver', 'none', ...network];
        const run = ['run', ...how, ...passedOn(outside), '--entrypoint', tool, wanted];
        return { path: binary, arguments: run, address: outside, version };
      } catch (error) {
        if (isLocalPostgresError(error)) return { problem: error.message };
        throw error;
      }
    },
  };
}

async function fetchImage(
  docker: Docker,
  options: { readonly image: string; readonly onFetch: DockerToolsOptions['onFetch'] },
): Promise<void> {
  const { image, onFetch } = options;
  const there = await docker.run(['image', 'inspect', '--format', '{{.Id}}', image]).then(
    () => true,
    () => false,
  );
  if (there) return;
  onFetch?.(image);
  await docker.run(['pull', '--quiet', image], { failure: `Docker could not fetch ${image}` });
}

// By name alone: Docker takes the values from its own environment.
function passedOn(address: DatabaseAddress): readonly string[] {
  return [...Object.keys(toPostgresEnvironment(address)), 'LC_ALL', 'PGAPPNAME'].flatMap((each) => ['--env', each]);
}

function reach(
  address: DatabaseAddress,
  platform: NodeJS.Platform,
): { readonly network: readonly string[]; readonly address: DatabaseAddress } {
  if (!isLoopback(address.host)) return { network: [], address };
  if (platform === 'linux') return { network: ['--network', 'host'], address };
  const host = 'host.docker.internal';
  return { network: ['--add-host', `${host}:host-gateway`], address: { ...address, host } };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function versionIn(text: string): number {
  return Number(/\(PostgreSQL\) (\d+)/.exec(text)?.[1] ?? 0);
}
