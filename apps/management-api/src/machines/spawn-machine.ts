import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, type FileHandle, mkdir, open } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import type { RunnableImage } from '../images/runnable-image.ts';
import type { MachineSpec } from '../ports/machines.ts';
import { mapAppEnvironment, mapAppPath } from './app-paths.ts';
import { findFreePort } from './free-port.ts';
import { type MachineRecord, saveRecord } from './machine-record.ts';
import { findByEnvironment, processStartTime } from './process-life.ts';
import type { ReleaseFolder } from './release-folder.ts';

/** A log that is larger when its machine starts again begins anew, in bytes. */
const logLimit = 16 * 1024 * 1024;

/** The exit code of a command that could not be started, as a shell reports it. */
const notStarted = 127;

/** Names the release in the environment of its process, by which a process is found that was not written down. */
const markerVariable = 'SP_MACHINE_FOLDER';

/** A process that was started, or could not be. */
export interface SpawnedMachine {
  readonly record: MachineRecord;
  /** Its exit code, once it has ended; 128 and the signal's number after a signal. */
  readonly ended: Promise<number>;
}

/**
 * Starts a release's process in a process group of its own, with its output going to the release's log. The record is
 * written before and after, so that a control plane killed in between finds the process again. A command that cannot
 * be started is a machine that exited with 127.
 */
export async function spawnMachine(request: {
  readonly folder: ReleaseFolder;
  readonly spec: MachineSpec;
  readonly image: RunnableImage;
}): Promise<SpawnedMachine> {
  const { folder, spec, image } = request;
  const port = await findFreePort();
  const intent: MachineRecord = { releaseId: spec.releaseId, port };
  const workingDirectory = machineDirectory(image, folder);
  for (const directory of [folder.temporary, folder.home, workingDirectory])
    await mkdir(directory, { recursive: true });
  await saveRecord(folder.record, intent);
  const [command = '', ...args] = image.command.map((part) => mapAppPath(part, folder.appDirectory));
  const log = await openLog(folder.log);
  try {
    const child = spawn(command, args, {
      cwd: workingDirectory,
      env: machineEnvironment({ folder, spec, image, port }),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    const failure = await spawned(child);
    const { pid } = child;
    if (pid === undefined || failure !== undefined) {
      await appendFile(folder.log, `cannot start ${image.command[0]}: ${failure?.code ?? 'unknown failure'}\n`);
      const record = { ...intent, exitCode: notStarted };
      await saveRecord(folder.record, record);
      return { record, ended: Promise.resolve(notStarted) };
    }
    const ended = exitCodeOf(child);
    // The control plane may end without waiting for its machines.
    child.unref();
    const record = { ...intent, pid, startTime: (await processStartTime(pid)) ?? 'ended' };
    await saveRecord(folder.record, record);
    return { record, ended };
  } finally {
    await log.close();
  }
}

/** Completes a record that was written before its process started, if that process lives. */
export async function adoptMachineProcess(folder: ReleaseFolder, record: MachineRecord): Promise<MachineRecord> {
  if (record.exitCode !== undefined) return record;
  const found = await findByEnvironment(`${markerVariable}=${folder.directory}`);
  if (found === undefined) return record;
  const adopted = { ...record, ...found };
  await saveRecord(folder.record, adopted);
  return adopted;
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

async function openLog(path: string): Promise<FileHandle> {
  const log = await open(path, 'a', 0o600);
  if ((await log.stat()).size > logLimit) await log.truncate(0);
  return log;
}

function spawned(child: ChildProcess): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', resolve);
  });
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
