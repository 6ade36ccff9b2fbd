import { constants } from 'node:fs';
import { chmod, type FileHandle, link, lstat, open, rm } from 'node:fs/promises';
import { fileIdentity, isSameFile } from '@sp/oci';
import { DeployError } from '../deploy-error.ts';

/** One file on its way into a build context. */
export interface StagedFile {
  readonly source: string;
  readonly destination: string;
  /** Permission bits that it gets. @defaultValue its own */
  readonly mode?: number | undefined;
  /** `fileIdentity` of the file that is meant. @defaultValue any file */
  readonly identity?: string | undefined;
}

/**
 * Puts the file that is meant into a build context: as a hard link, which costs nothing but shares its mode with the
 * project's file, else as a copy.
 *
 * @throws {@link DeployError} `SP_DEPLOY_PROJECT_CHANGED` when something else is in its place
 */
export async function stageFile({ source, destination, mode, identity }: StagedFile): Promise<void> {
  const handle = await open(source, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile() || (identity !== undefined && !isSameFile(identity, stats))) throw replaced(source);
    const own = Number(stats.mode & 0o7777n);
    if ((mode === undefined || mode === own) && (await linkOf(source, destination, fileIdentity(stats)))) return;
    await copy(handle, destination);
    await chmod(destination, mode ?? own);
  } finally {
    await handle.close();
  }
}

/** The error for something that took the place of a file or folder of the project. */
export function replaced(path: string): DeployError {
  return new DeployError('SP_DEPLOY_PROJECT_CHANGED', `The project changed while it was built: ${path} was replaced`);
}

/** Fails between disks. A link of a symbolic link, or of what took the file's place meanwhile, is none of the file. */
async function linkOf(source: string, destination: string, identity: string): Promise<boolean> {
  try {
    await link(source, destination);
  } catch {
    return false;
  }
  if (isSameFile(identity, await lstat(destination, { bigint: true }))) return true;
  await rm(destination, { force: true });
  return false;
}

async function copy(from: FileHandle, destination: string): Promise<void> {
  const to = await open(destination, 'wx');
  try {
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    for (;;) {
      const { bytesRead } = await from.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      await to.writeFile(buffer.subarray(0, bytesRead));
    }
  } finally {
    await to.close();
  }
}
