import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ImageSource } from '../images/image-source.ts';
import { readRunnableImage } from '../images/runnable-image.ts';
import { storageRepository } from '../images/tenant-repository.ts';
import type { Machine, MachineSpec, Machines } from '../ports/machines.ts';
import { readLastLines } from './log-tail.ts';
import { MachineError } from './machine-error.ts';
import { checkMachineNames } from './machine-names.ts';
import { findRecord, type MachineRecord, saveRecord } from './machine-record.ts';
import { endProcessGroup, isAlive, type ProcessIdentity } from './process-life.ts';
import { prepareRelease, releaseFolder, releasesDirectory, removeOldReleases } from './release-folder.ts';
import { createSerializer } from './serialize.ts';
import { adoptMachineProcess, spawnMachine } from './spawn-machine.ts';

/** Options of {@link createProcessMachines}. */
export interface ProcessMachinesOptions {
  /** Everything of the driver is below it: `<app>/releases/<release>/{rootfs,machine.json,machine.log}`. */
  readonly directory: string;
  /** The registry's storage, read without HTTP. */
  readonly images: ImageSource;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** How long a machine may take to end after SIGTERM, in milliseconds. @defaultValue 5000 */
  readonly stopGraceMs?: number | undefined;
}

/** The folder for markers of layers without an `/app`; no app can have this name. */
const foreignLayersFolder = '.foreign-layers';

/**
 * Machines that are plain processes of this computer: only the image's `/app` is used, unpacked into a folder, and paths
 * below `/app` in the command, the working directory and the environment are mapped to it. `PORT` and `HOST` are the
 * driver's. There is no isolation: a machine runs as the control plane's own user, the image's `User` and the memory limit
 * are ignored. For one's own code only.
 *
 * Processes outlive a killed control plane and are found again by their record; {@link Machines.close} ends them.
 */
export function createProcessMachines(options: ProcessMachinesOptions): Machines {
  const { directory, images, logger, stopGraceMs = 5000 } = options;
  const inTurn = createSerializer();
  const folderOf = (appName: string, releaseId: string) => {
    checkMachineNames({ appName, releaseId });
    return releaseFolder(releasesDirectory(directory, appName), releaseId);
  };

  async function start(spec: MachineSpec, signal: AbortSignal | undefined): Promise<Machine> {
    const { appName, releaseId } = spec;
    const folder = folderOf(appName, releaseId);
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
    const record = await spawnMachine({ folder, spec, image, onExit: (exitCode) => recordExit(spec, exitCode) });
    await removeOldReleases(releasesDirectory(directory, appName), {
      keep: releaseId,
      isInUse: async (other) => (await findMachine(appName, other))?.state === 'running',
    });
    logger.info({ app: appName, release: releaseId, pid: record.pid, port: record.port }, 'machine started');
    return toMachine(record);
  }

  /** The end of a process that this control plane started: kept so that its reason can be told later. */
  function recordExit({ appName, releaseId }: MachineSpec, exitCode: number): void {
    const { record: path } = folderOf(appName, releaseId);
    inTurn(appName, async () => {
      const record = await findRecord(path);
      if (record === undefined || (await isRunning(record))) return;
      await saveRecord(path, { ...record, exitCode: record.exitCode ?? exitCode });
      logger.info({ app: appName, release: releaseId, exitCode }, 'machine exited');
    }).catch((error: unknown) => logger.warn({ err: error, app: appName }, 'the end of a machine was not recorded'));
  }

  async function findMachine(appName: string, releaseId: string): Promise<Machine | undefined> {
    const folder = folderOf(appName, releaseId);
    const record = await findRecord(folder.record);
    if (record === undefined) return undefined;
    const adopted = record.pid === undefined ? await adoptMachineProcess(folder, record) : record;
    return toMachine(adopted);
  }

  async function listMachines(appName: string): Promise<readonly Machine[]> {
    checkMachineNames({ appName });
    const machines: Machine[] = [];
    for (const releaseId of await readFolder(releasesDirectory(directory, appName))) {
      if (releaseId.includes('.unpacking-')) continue;
      const machine = await findMachine(appName, releaseId);
      if (machine !== undefined) machines.push(machine);
    }
    return machines;
  }

  async function stop(appName: string, releaseId: string): Promise<void> {
    const folder = folderOf(appName, releaseId);
    const found = await findRecord(folder.record);
    if (found === undefined) return;
    const record = found.pid === undefined ? await adoptMachineProcess(folder, found) : found;
    const identity = identityOf(record);
    if (identity !== undefined && !(await endProcessGroup(identity, { graceMs: stopGraceMs }))) {
      const { pid } = identity;
      const message = `Cannot stop release ${releaseId} of ${appName}: process ${pid} survived SIGKILL`;
      throw new MachineError('SP_MACHINE_UNSTOPPABLE', { message, appName, releaseId, pid });
    }
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
    find: findMachine,
    list: listMachines,
    logs: (appName, releaseId, { lines }) => readLastLines(folderOf(appName, releaseId).log, lines),
    stop: (appName, releaseId) => inTurn(appName, () => stop(appName, releaseId)),
    async close() {
      const apps = (await readFolder(directory)).filter((name) => !name.startsWith('.'));
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

async function toMachine(record: MachineRecord): Promise<Machine> {
  const { releaseId, pid, port, exitCode } = record;
  const id = String(pid ?? releaseId);
  if (await isRunning(record)) return { id, releaseId, state: 'running', address: `127.0.0.1:${port}` };
  return { id, releaseId, state: 'exited', exitCode };
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
