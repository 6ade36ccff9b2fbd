import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ImageSource } from '../images/image-source.ts';
import { readRunnableImage } from '../images/runnable-image.ts';
import { storageRepository } from '../images/tenant-repository.ts';
import type { Machine, MachineSpec, Machines, ReadLogsOptions } from '../ports/machines.ts';
import { MachineError } from './machine-error.ts';
import { readMachineLog } from './machine-log.ts';
import { checkMachineNames } from './machine-names.ts';
import { createMachinePorts, type MachinePortsOptions } from './machine-ports.ts';
import { findExitCode, findRecord, type MachineRecord } from './machine-record.ts';
import { claimMachines, hasClaimed, ownerFileOf } from './owner-file.ts';
import { endProcessGroup, isAlive, type ProcessIdentity } from './process-life.ts';
import {
  prepareRelease,
  type ReleaseFolder,
  releaseFolder,
  releasesDirectory,
  removeOldReleases,
} from './release-folder.ts';
import { readMessages } from './select-lines.ts';
import { createSerializer } from './serialize.ts';
import { adoptMachineProcess, killLeftovers, spawnMachine } from './spawn-machine.ts';

/** Options of {@link createProcessMachines}. */
export interface ProcessMachinesOptions {
  /** Everything of the driver is below it: `<app>/releases/<release>/{rootfs,machine.json,machine.log}`. */
  readonly directory: string;
  /** The registry's storage, read without HTTP. */
  readonly images: ImageSource;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** How long a machine may take to end after SIGTERM, in milliseconds. @defaultValue 5000 */
  readonly stopGraceMs?: number | undefined;
  /** How long machines of a control plane that was killed wait for the next one before they end. @defaultValue 30000 */
  readonly orphanGraceMs?: number | undefined;
  /** How much is kept of what a machine writes. @defaultValue 16 MiB */
  readonly maxLogBytes?: number | undefined;
  /** At which addresses tenants are looked for; no other machine gets one of them. @defaultValue none */
  readonly notedAddresses?: MachinePortsOptions['notedAddresses'];
}

/** The folder for markers of layers without an `/app`; no app can have this name. */
const foreignLayersFolder = '.foreign-layers';

/**
 * Machines that are plain processes of this computer: only the image's `/app` is used, unpacked into a folder, and paths
 * below `/app` in the command, the working directory and the environment are mapped to it. `PORT` and `HOST` are the
 * driver's. There is no isolation: a machine runs as the control plane's own user, and the image's `User` is ignored. For
 * one's own code only. On Linux a machine that uses more than its memory is killed, as it is noticed within a second; a
 * machine that crashes is started again up to three times. The processor goes to the control plane first, since machines
 * run at a lower priority; how much of it they use is not limited, for which an operating system asks for root.
 *
 * Processes outlive a killed control plane for half a minute, in which the next one finds them by their record, and end
 * when none does; {@link Machines.close} ends them, unless this process has started none or another has taken them over.
 */
export function createProcessMachines(options: ProcessMachinesOptions): Machines {
  const { directory, images, logger, stopGraceMs = 5000 } = options;
  const { orphanGraceMs = 30_000, maxLogBytes = 16 * 1024 ** 2 } = options;
  const inTurn = createSerializer();
  const choosePort = createMachinePorts({ notedAddresses: options.notedAddresses });
  const owner = ownerFileOf(directory);
  const folderOf = (appName: string, releaseId: string) => {
    checkMachineNames({ appName, releaseId });
    return releaseFolder(releasesDirectory(directory, appName), releaseId);
  };

  async function start(spec: MachineSpec, signal: AbortSignal | undefined): Promise<Machine> {
    const { appName, releaseId } = spec;
    const folder = folderOf(appName, releaseId);
    await mkdir(directory, { recursive: true });
    await claimMachines(owner);
    const known = await findMachine(appName, releaseId);
    if (known?.state === 'running') return known;
    const image = await readRunnableImage(images, {
      repository: storageRepository(spec.tenantId),
      digest: spec.image.digest,
    });
    if ('unusable' in image) throw imageError(spec, image.unusable);
    const foreignLayers = join(directory, foreignLayersFolder);
    try {
      await prepareRelease(folder, { image, source: images, foreignLayers, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw imageError(spec, error instanceof Error ? error.message : 'it cannot be unpacked');
    }
    signal?.throwIfAborted();
    if (known !== undefined) await killLeftovers(folder);
    const port = await choosePort(await keptPorts());
    const record = await spawnMachine({ folder, spec, image, port, owner, maxLogBytes, orphanGraceMs, stopGraceMs });
    await removeOldReleases(releasesDirectory(directory, appName), {
      keep: releaseId,
      isInUse: async (other) => (await findMachine(appName, other))?.state === 'running',
    });
    logger.info({ app: appName, release: releaseId, pid: record.pid, port: record.port }, 'machine started');
    return toMachine(folder, record);
  }

  async function findMachine(appName: string, releaseId: string): Promise<Machine | undefined> {
    const folder = folderOf(appName, releaseId);
    const record = await currentRecord(folder);
    return record === undefined ? undefined : toMachine(folder, record);
  }

  async function* readLogs(appName: string, releaseId: string, options: ReadLogsOptions = {}) {
    const isOpen = async (): Promise<boolean> => (await findMachine(appName, releaseId))?.state === 'running';
    yield* readMachineLog(folderOf(appName, releaseId).log, { ...options, isOpen });
  }

  async function listMachines(appName: string): Promise<readonly Machine[]> {
    checkMachineNames({ appName });
    const machines: Machine[] = [];
    for (const releaseId of await listReleases(appName)) {
      const machine = await findMachine(appName, releaseId);
      if (machine !== undefined) machines.push(machine);
    }
    return machines;
  }

  /** Those of machines that are there, whether they run or are about to start again. */
  async function keptPorts(): Promise<readonly number[]> {
    const ports: number[] = [];
    for (const appName of await listApps()) {
      for (const releaseId of await listReleases(appName)) {
        const { record: path } = releaseFolder(releasesDirectory(directory, appName), releaseId);
        // One that cannot be read is told by whoever asks for that machine.
        const record = await findRecord(path).catch(() => undefined);
        if (record !== undefined) ports.push(record.port);
      }
    }
    return ports;
  }

  async function listReleases(appName: string): Promise<readonly string[]> {
    const names = await readFolder(releasesDirectory(directory, appName));
    return names.filter((name) => !name.includes('.unpacking-'));
  }

  async function listApps(): Promise<readonly string[]> {
    return (await readFolder(directory)).filter((name) => !name.startsWith('.')).sort();
  }

  async function stop(appName: string, releaseId: string): Promise<void> {
    const folder = folderOf(appName, releaseId);
    const record = await currentRecord(folder);
    if (record === undefined) return;
    const identity = identityOf(record);
    if (identity !== undefined && !(await endProcessGroup(identity, { graceMs: stopGraceMs }))) {
      const { pid } = identity;
      const message = `Cannot stop release ${releaseId} of ${appName}: process ${pid} survived SIGKILL`;
      throw new MachineError('SP_MACHINE_UNSTOPPABLE', { message, appName, releaseId, pid });
    }
    await killLeftovers(folder);
    await rm(folder.exit, { force: true });
    await rm(folder.record, { force: true });
    logger.info({ app: appName, release: releaseId }, 'machine stopped');
  }

  return {
    kind: 'process',
    databaseHost: '127.0.0.1',
    async createApp({ appName }) {
      checkMachineNames({ appName });
      await mkdir(releasesDirectory(directory, appName), { recursive: true });
    },
    start: (spec, { signal } = {}) => inTurn(spec.appName, () => start(spec, signal)),
    async keep() {},
    find: findMachine,
    list: listMachines,
    listApps,
    logs: (appName, releaseId, { lines }) => readMessages(readLogs(appName, releaseId, { tail: lines })),
    readLogs,
    stop: (appName, releaseId) => inTurn(appName, () => stop(appName, releaseId)),
    removeApp: (appName) =>
      inTurn(appName, async () => {
        for (const { releaseId } of await listMachines(appName)) await stop(appName, releaseId);
        await rm(join(directory, appName), { recursive: true, force: true });
      }),
    async close() {
      if (!(await hasClaimed(owner))) return;
      const apps = await listApps();
      const stopApp = async (appName: string) => {
        for (const { releaseId } of await listMachines(appName)) await inTurn(appName, () => stop(appName, releaseId));
      };
      await Promise.all(apps.map(stopApp));
    },
  };
}

function imageError({ appName, releaseId }: MachineSpec, reason: string): MachineError {
  const message = `Cannot start release ${releaseId} of ${appName}: ${reason}`;
  return new MachineError('SP_MACHINE_IMAGE', { message, appName, releaseId, reason });
}

/** The record, completed when its process was started but not written down. */
async function currentRecord(folder: ReleaseFolder): Promise<MachineRecord | undefined> {
  const record = await findRecord(folder.record);
  return record === undefined || record.pid !== undefined ? record : adoptMachineProcess(folder, record);
}

async function toMachine(folder: ReleaseFolder, record: MachineRecord): Promise<Machine> {
  const { releaseId, pid, port } = record;
  const id = String(pid ?? releaseId);
  if (await isRunning(record)) return { id, releaseId, state: 'running', address: `127.0.0.1:${port}` };
  return { id, releaseId, state: 'exited', exitCode: await findExitCode(folder.exit) };
}

async function isRunning(record: MachineRecord): Promise<boolean> {
  const identity = identityOf(record);
  return identity !== undefined && (await isAlive(identity));
}

function identityOf({ pid, startTime }: MachineRecord): ProcessIdentity | undefined {
  return pid === undefined || startTime === undefined ? undefined : { pid, startTime };
}

async function readFolder(path: string): Promise<readonly string[]> {
  return readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}
