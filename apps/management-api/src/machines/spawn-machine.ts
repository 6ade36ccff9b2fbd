import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RunnableImage } from '../images/runnable-image.ts';
import type { MachineSpec } from '../ports/machines.ts';
import { mapAppEnvironment, mapAppPath } from './app-paths.ts';
import { MachineError } from './machine-error.ts';
import { type MachineRecord, saveRecord } from './machine-record.ts';
import { findByEnvironment, killByEnvironment, processStartTime } from './process-life.ts';
import type { ReleaseFolder } from './release-folder.ts';
import { findSupervisor } from './supervisor.ts';

/** How often a machine that crashes is started again before it stays down, as with the docker driver. */
const maxRestarts = 3;

/** Names the release in the environment of its process, by which a process is found that was not written down. */
const markerVariable = 'SP_MACHINE_FOLDER';

/**
 * Starts a release's process under a supervisor, which leads a process group of its own, writes the release's log and
 * the machine's exit code. The record is written before and after, so that a control plane killed in between finds the
 * process again. A command that cannot be started is a machine that exits with 127.
 */
export async function spawnMachine(request: {
  readonly folder: ReleaseFolder;
  readonly spec: MachineSpec;
  readonly image: RunnableImage;
  /** Where it is told to listen, on 127.0.0.1. */
  readonly port: number;
  /** The file that says which control plane the machine belongs to. */
  readonly owner: string;
  readonly maxLogBytes: number;
  readonly orphanGraceMs: number;
  readonly stopGraceMs: number;
}): Promise<MachineRecord> {
  const { folder, spec, image, port, owner, maxLogBytes, orphanGraceMs, stopGraceMs } = request;
  const intent: MachineRecord = { releaseId: spec.releaseId, port };
  const cwd = machineDirectory(image, folder);
  for (const directory of [folder.temporary, folder.home, cwd]) await mkdir(directory, { recursive: true });
  await rm(folder.exit, { force: true });
  await saveRecord(folder.record, intent);
  const [command = '', ...args] = image.command.map((part) => mapAppPath(part, folder.appDirectory));
  const plan = {
    command,
    args,
    cwd,
    env: machineEnvironment({ folder, spec, image, port }),
    shown_command: image.command[0],
    log: folder.log,
    max_log_bytes: maxLogBytes,
    exit: folder.exit,
    owner,
    orphan_grace_ms: orphanGraceMs,
    stop_grace_ms: stopGraceMs,
    max_restarts: maxRestarts,
    memory_mb: spec.memoryMb,
  };
  const child = spawn(process.execPath, [findSupervisor()], {
    cwd: folder.directory,
    env: { [markerVariable]: folder.directory },
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const failure = await spawned(child);
  const { pid, stdin } = child;
  if (pid === undefined || failure !== undefined || stdin === null) {
    const reason = failure?.code ?? 'unknown failure';
    const message = `Cannot start release ${spec.releaseId} of ${spec.appName}: the supervisor does not run: ${reason}`;
    throw new MachineError('SP_MACHINE_STATE', { message, appName: spec.appName, releaseId: spec.releaseId, reason });
  }
  // Should it end before it has read everything, its exit tells.
  stdin.on('error', () => {});
  stdin.end(JSON.stringify(plan));
  // The control plane may end without waiting for its machines.
  child.unref();
  const record = { ...intent, pid, startTime: (await processStartTime(pid)) ?? 'ended' };
  await saveRecord(folder.record, record);
  return record;
}

/** Completes a record that was written before its process started, if that process lives. */
export async function adoptMachineProcess(folder: ReleaseFolder, record: MachineRecord): Promise<MachineRecord> {
  const found = await findByEnvironment(marker(folder));
  if (found === undefined) return record;
  const adopted = { ...record, ...found };
  await saveRecord(folder.record, adopted);
  return adopted;
}

/** Kills what is left of a machine whose supervisor was killed. */
export async function killLeftovers(folder: ReleaseFolder): Promise<void> {
  await killByEnvironment(marker(folder));
}

function marker(folder: ReleaseFolder): string {
  return `${markerVariable}=${folder.directory}`;
}

function machineEnvironment(machine: {
  readonly folder: ReleaseFolder;
  readonly spec: MachineSpec;
  readonly image: RunnableImage;
  readonly port: number;
}): Record<string, string> {
  const { folder, spec, image, port } = machine;
  const mapped = mapAppEnvironment({ ...image.environment, ...spec.env }, folder.appDirectory);
  // The image's own runtime is not unpacked: `node` is this one, the rest is the computer's.
  const path = [mapped['PATH'], dirname(process.execPath), '/usr/bin', '/bin'].filter(Boolean).join(':');
  return {
    HOME: folder.home,
    TMPDIR: folder.temporary,
    ...mapped,
    PATH: path,
    HOST: '127.0.0.1',
    PORT: String(port),
    [markerVariable]: folder.directory,
  };
}

function machineDirectory(image: RunnableImage, folder: ReleaseFolder): string {
  const mapped = mapAppPath(image.workingDirectory, folder.appDirectory);
  return mapped === image.workingDirectory ? folder.appDirectory : mapped;
}

function spawned(child: ChildProcess): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', resolve);
  });
}
