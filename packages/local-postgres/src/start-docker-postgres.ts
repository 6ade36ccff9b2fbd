import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { describeDatabase } from '@sp/database';
import { replacePrivateFile, updatePrivateFile } from '@sp/private-file';
import { adminRole, type ContainerSettings, composeFilePath, renderComposeFile } from './compose-file.ts';
import { type Docker, openDocker } from './docker.ts';
import { parseSharedConfig, type SharedConfig, serializeSharedConfig, sharedConfigPath } from './shared-config.ts';
import { tryLogin, waitUntilReady } from './wait-until-ready.ts';

/** How to run Postgres in Docker. */
export interface DockerPostgresOptions {
  /** Where `shared.yaml` and `shared_config.json` are; a project's `.systemprompt/docker`. */
  readonly folder: string;
  /** Of the container; its volume is `<name>-data`. @defaultValue 'systemprompt-postgres-shared' */
  readonly name?: string | undefined;
  /** What the container is made of. @defaultValue 'postgres:18-alpine' */
  readonly image?: string | undefined;
  /** On 127.0.0.1, for a new container. @defaultValue 5432, or any when that is taken */
  readonly port?: number | undefined;
  /** The Docker program. @defaultValue 'docker' */
  readonly binary?: string | undefined;
  /** How long Postgres may take until it accepts connections, in milliseconds. @defaultValue 60000 */
  readonly patience?: number | undefined;
  /** Gives up waiting; what Docker has begun goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** A Postgres server that runs. */
export interface LocalPostgres {
  /** Of a role that may do everything. Holds its password. */
  readonly adminUrl: string;
  /** Of 127.0.0.1. */
  readonly port: number;
  /** What had to be done. */
  readonly status: 'created' | 'started' | 'running';
}

/** Of the container, for all projects of this computer. */
export const defaultName = 'systemprompt-postgres-shared';

/**
 * Makes sure that the Postgres of this computer's local tenants runs in Docker, reachable from this computer only. All
 * projects share one container. A container, or data of one, that is there is found again, whoever started it.
 * @throws {LocalPostgresError}
 */
export async function startDockerPostgres(options: DockerPostgresOptions): Promise<LocalPostgres> {
  const {
    folder,
    name = defaultName,
    image = 'postgres:18-alpine',
    binary = 'docker',
    patience = 60_000,
    signal,
  } = options;
  const docker = await openDocker({ binary, signal });
  const path = sharedConfigPath(folder);
  let started: LocalPostgres | undefined;
  // Two at once would both find nothing, and give the server two passwords.
  await updatePrivateFile(
    path,
    async (text) => {
      const known = parseSharedConfig(text, path);
      const found = await docker.find(name);
      const settings: ContainerSettings = {
        name,
        image,
        password: known?.adminPassword ?? found?.password ?? randomBytes(24).toString('base64url'),
        port: found?.port ?? known?.port ?? (await choosePort(options.port)),
      };
      if (found === undefined) {
        await replacePrivateFile(composeFilePath(folder), renderComposeFile(settings), { signal });
        const args = ['--project-name', name, '--file', composeFilePath(folder), 'up', '--detach'];
        await docker
          .compose(args, { failure: `The container ${name} could not be made` })
          .catch(async (error: unknown) => {
            // Half a container would fail again the same way, also after what was in its way is gone.
            await docker.run(['rm', '--force', name]).catch(() => undefined);
            throw error;
          });
      } else if (!found.running) {
        await docker.run(['start', name], { failure: `The container ${name} could not be started` });
      }
      const adminUrl = adminUrlOf(settings);
      await waitUntilReady(docker, { name, adminUrl, patience, signal });
      await ensurePassword(docker, { settings, adminUrl, signal });
      const status = found === undefined ? 'created' : found.running ? 'running' : 'started';
      started = { adminUrl, port: settings.port, status };
      const config: SharedConfig = {
        adminPassword: settings.password,
        port: settings.port,
        createdAt: known?.createdAt ?? new Date().toISOString(),
        tenantDatabases: known?.tenantDatabases ?? [],
      };
      return serializeSharedConfig(config, text);
    },
    { lockTimeoutMs: patience + 60_000, signal },
  );
  if (started === undefined) throw new Error('The update did not run.');
  return started;
}

/** How to remove the server. */
export interface RemoveDockerPostgresOptions extends Pick<DockerPostgresOptions, 'name' | 'binary' | 'signal'> {
  /** Deletes the databases of all local tenants too. @defaultValue false */
  readonly deleteData?: boolean | undefined;
}

/** Removes the container. Its data stays, and is found again by the next start, unless it is to be deleted. */
export async function removeDockerPostgres(options: RemoveDockerPostgresOptions = {}): Promise<void> {
  const { name = defaultName, binary = 'docker', deleteData = false, signal } = options;
  const docker = await openDocker({ binary, signal });
  if ((await docker.find(name)) !== undefined) await docker.run(['stop', name]);
  await docker.run(['rm', '--force', name]);
  // Of a container that was made when Compose still gave it a network of its own.
  await docker.run(['network', 'rm', `${name}_default`]).catch(() => undefined);
  if (deleteData) await docker.run(['volume', 'rm', '--force', `${name}-data`]);
}

function adminUrlOf({ password, port }: ContainerSettings): string {
  return `postgres://${adminRole}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres?sslmode=disable`;
}

/** Data that is found again may have another password than we know of: inside the container none is asked for. */
async function ensurePassword(
  docker: Docker,
  options: {
    readonly settings: ContainerSettings;
    readonly adminUrl: string;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  const { settings, adminUrl, signal } = options;
  const { name, password } = settings;
  if ((await tryLogin(adminUrl, signal)) !== 'refused') return;
  const psql = ['exec', '--interactive', name, 'psql', '--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1'];
  // The password goes by the input: arguments are seen by everybody on this computer.
  await docker.run([...psql, `--username=${adminRole}`, '--dbname=postgres'], {
    input: `set log_min_error_statement = panic;\nalter role ${adminRole} password '${password.replaceAll("'", "''")}';\n`,
    failure: `The password of the data in the volume ${name}-data could not be set anew`,
  });
  await describeDatabase(adminUrl, { signal });
}

async function choosePort(wanted: number | undefined): Promise<number> {
  if (wanted !== undefined) return wanted;
  return (await tryPort(5432)) ?? (await tryPort(0)) ?? 5432;
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
