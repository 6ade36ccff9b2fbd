import type { Logger } from 'pino';
import type { Images } from '../images/registry.ts';
import type { Machine, MachineSpec, Machines, ReadLogsOptions } from '../ports/machines.ts';
import { createDockerRun, type DockerResult, dockerFailure, type RunDocker } from './docker-command.ts';
import {
  appLabel,
  type Container,
  findApps,
  findContainers,
  findKeptPorts,
  machinePort,
  ownerLabel,
  releaseLabel,
} from './docker-containers.ts';
import { withPrivateFolder, writeDockerEnvironment, writeDockerLogin } from './docker-files.ts';
import { keepNewestImages, removeImages, removeUnused } from './docker-images.ts';
import { readContainerLog } from './docker-logs.ts';
import { ensureTenantNetwork, tenantNetwork } from './docker-network.ts';
import { checkMachineNames } from './machine-names.ts';
import { createMachinePorts, type MachinePortsOptions } from './machine-ports.ts';
import { readMessages } from './select-lines.ts';
import { createSerializer } from './serialize.ts';

/** Options of {@link createDockerMachines}. */
export interface DockerMachinesOptions {
  readonly images: Pick<Images, 'pullToken'>;
  /** `host:port` by which the engine reaches the registry. */
  readonly registry: string;
  readonly logger: Pick<Logger, 'info'>;
  /** The docker client. @defaultValue 'docker' */
  readonly binary?: string | undefined;
  /** Runs the docker client. @defaultValue through execa, with `binary` */
  readonly run?: RunDocker | undefined;
  /** At which addresses tenants are looked for; no other container gets one of them. @defaultValue none */
  readonly notedAddresses?: MachinePortsOptions['notedAddresses'];
}

/** How many ports are tried where others take them at the same moment. */
const portAttempts = 5;
const portTaken = /port is already allocated|address already in use/i;

/**
 * Machines that are containers of a Docker engine, driven by the docker client. An app needs nothing at the engine: its
 * containers are found by their labels. They run as the image's user, without any capability, within the plan's memory, on
 * a network where they do not reach each other, and are reached on a port of 127.0.0.1 that stays theirs as long as they
 * are there. Containers outlive the control plane. The engine keeps the images of an app's current and previous release.
 */
export function createDockerMachines(options: DockerMachinesOptions): Machines {
  const { images, registry, logger, binary = 'docker', run = createDockerRun(binary) } = options;
  const choosePort = createMachinePorts({ notedAddresses: options.notedAddresses });
  const inTurn = createSerializer();

  async function findContainer(appName: string, releaseId: string): Promise<Container | undefined> {
    checkMachineNames({ appName, releaseId });
    const [container] = await findContainers(run, { appName, releaseId });
    return container;
  }

  async function start(spec: MachineSpec, signal: AbortSignal | undefined): Promise<Machine> {
    const { appName, releaseId } = spec;
    const known = await findContainer(appName, releaseId);
    if (known?.machine.state === 'running') return known.machine;
    // An ended container keeps the environment it was made with; the one given now counts.
    if (known !== undefined) await removeContainer(known.machine.id, appName);
    const image = `${registry}/${spec.image.repository}@${spec.image.digest}`;
    await pullImage(spec, { image, signal });
    await ensureTenantNetwork(run, signal);
    const result = await runContainer(spec, { image, signal });
    // Also after a failure: a command that does not exist leaves a container that says so.
    const started = await findContainer(appName, releaseId);
    if (started === undefined) throw dockerFailure(result, { step: 'run', appName, releaseId });
    await keepNewestImages(run, { appName, image });
    logger.info({ app: appName, release: releaseId, container: started.machine.id.slice(0, 12) }, 'machine started');
    return started.machine;
  }

  async function runContainer(
    spec: MachineSpec,
    { image, signal }: { readonly image: string; readonly signal: AbortSignal | undefined },
  ): Promise<DockerResult> {
    for (let attempts = 1; ; attempts += 1) {
      const port = await choosePort(await findKeptPorts(run, spec));
      const result = await withPrivateFolder(async (directory) => {
        const environment = await writeDockerEnvironment(directory, spec.env);
        const args = ['run', ...containerArgs(spec, { owner: registry, port }), ...environment.args, image];
        return run(args, { env: environment.env, signal });
      });
      if (!portTaken.test(result.stderr) || result.exitCode === 0 || attempts === portAttempts) return result;
      // Somebody was quicker. What is left of the attempt would have that port for good.
      const left = await findContainer(spec.appName, spec.releaseId);
      if (left !== undefined) await removeContainer(left.machine.id, spec.appName);
    }
  }

  async function pullImage(spec: MachineSpec, { image, signal }: { image: string; signal: AbortSignal | undefined }) {
    const present = await run(['image', 'inspect', '--format', '{{.Id}}', image], { signal });
    if (present.exitCode === 0) return;
    const login = await images.pullToken(spec.tenantId);
    const result = await withPrivateFolder(async (directory) => {
      await writeDockerLogin(directory, { ...login, registry });
      // The login's configuration hides the user's, in which the engine may be named.
      const engine = await run(['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'], { signal });
      const host = engine.exitCode === 0 ? engine.stdout.trim() : '';
      const args = [...(host === '' ? [] : ['--host', host]), 'pull', '--quiet', image];
      return run(args, { env: { DOCKER_CONFIG: directory }, signal });
    });
    if (result.exitCode !== 0) throw dockerFailure(result, { step: 'pull', ...spec });
  }

  async function* readLogs(appName: string, releaseId: string, options: ReadLogsOptions = {}) {
    const container = await findContainer(appName, releaseId);
    if (container === undefined) return;
    const { machine, failure } = container;
    const isOpen = async (): Promise<boolean> => (await findContainer(appName, releaseId))?.machine.state === 'running';
    yield* readContainerLog(machine.id, { ...options, run, binary, failure, isOpen });
  }

  async function removeContainer(id: string, appName: string): Promise<void> {
    await run(['stop', '-t', '5', id]);
    const result = await run(['rm', '--force', '--volumes', id]);
    if (result.exitCode !== 0 && !/no such container/i.test(result.stderr)) {
      throw dockerFailure(result, { step: 'rm', appName });
    }
  }

  return {
    kind: 'docker',
    databaseHost: 'host.docker.internal',
    async createApp({ appName }) {
      checkMachineNames({ appName });
    },
    start: (spec, { signal } = {}) => inTurn(spec.appName, () => start(spec, signal)),
    async keep() {},
    find: async (appName, releaseId) => (await findContainer(appName, releaseId))?.machine,
    async list(appName) {
      checkMachineNames({ appName });
      return (await findContainers(run, { appName })).map(({ machine }) => machine);
    },
    listApps: ({ signal } = {}) => findApps(run, { owner: registry, signal }),
    logs: (appName, releaseId, { lines }) => readMessages(readLogs(appName, releaseId, { tail: lines })),
    readLogs,
    stop: (appName, releaseId) =>
      inTurn(appName, async () => {
        checkMachineNames({ appName, releaseId });
        for (const { machine, imageId } of await findContainers(run, { appName, releaseId })) {
          await removeContainer(machine.id, appName);
          await removeUnused(run, imageId);
          logger.info({ app: appName, release: releaseId }, 'machine stopped');
        }
      }),
    removeApp: (appName) =>
      inTurn(appName, async () => {
        checkMachineNames({ appName });
        for (const { machine } of await findContainers(run, { appName })) await removeContainer(machine.id, appName);
        await removeImages(run, appName);
      }),
    async close() {},
  };
}

function containerArgs(
  { appName, releaseId, memoryMb }: MachineSpec,
  { owner, port }: { readonly owner: string; readonly port: number },
): readonly string[] {
  const flags: readonly (readonly string[])[] = [
    ['--detach'],
    ['--name', `${appName}-${releaseId.replaceAll('-', '').slice(0, 8)}`],
    ['--label', `${appLabel}=${appName}`],
    ['--label', `${releaseLabel}=${releaseId}`],
    ['--label', `${ownerLabel}=${owner}`],
    // No swap on top of the memory.
    ['--memory', `${memoryMb}m`, '--memory-swap', `${memoryMb}m`, '--cpus', '1', '--pids-limit', '512'],
    ['--security-opt', 'no-new-privileges', '--cap-drop', 'ALL'],
    ['--restart', 'on-failure:3'],
    ['--log-opt', 'max-size=10m', '--log-opt', 'max-file=2'],
    ['--network', tenantNetwork],
    ['--add-host', 'host.docker.internal:host-gateway'],
    // A port of its own: one that the engine chooses is another one after each restart.
    ['--publish', `127.0.0.1:${port}:${machinePort}`],
    // The image was pulled with the tenant's own login; nothing else is ever fetched.
    ['--pull', 'never'],
  ];
  return flags.flat();
}
