import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { throwIfAborted } from '../deploy-error.ts';
import type { ImagePlan } from '../plan/image-plan.ts';
import { renderDockerfile, skeletonFolder } from '../plan/render-dockerfile.ts';
import { stageProject } from './project-context.ts';
import { makeDirectories, makeDirectory } from './staged-folders.ts';

/** A folder that docker builds from. */
export interface BuildContext {
  /** Holds exactly the plan's files, at their places in the project; for a Dockerfile of the project's own all of it but secrets. */
  readonly directory: string;
  readonly dockerfile: string;
  /** Deletes both. */
  remove(): Promise<void>;
}

/**
 * Puts the plan's files, or what the project's own Dockerfile may copy, into a temporary folder, so that docker gets these files with these modes and nothing else,
 * whatever rules its version has for `.dockerignore`.
 */
export async function stageBuildContext(
  plan: ImagePlan,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<BuildContext> {
  const root = await mkdtemp(join(tmpdir(), 'systemprompt-build-'));
  const remove = (): Promise<void> => rm(root, { recursive: true, force: true });
  try {
    const directory = join(root, 'context');
    await makeDirectory(directory);
    const dockerfile = join(root, 'Dockerfile');
    if (plan.dockerfile !== undefined) {
      await stageProject(directory, { plan, dockerfile: plan.dockerfile, signal });
      await writeFile(dockerfile, plan.dockerfile.text);
      return { directory, dockerfile, remove };
    }
    if (plan.packages.length === 0) {
      for (const path of plan.directories) await makeDirectories(directory, join(skeletonFolder, path));
    }
    for (const { source, mode } of plan.files) {
      throwIfAborted(signal);
      await makeDirectories(directory, dirname(source));
      await stageFile(join(plan.projectRoot, source), join(directory, source), mode);
    }
    await writeFile(dockerfile, renderDockerfile(plan));
    return { directory, dockerfile, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A hard link costs nothing, but shares its mode with the project's file, which stays as it is. */
async function stageFile(source: string, destination: string, mode: number): Promise<void> {
  if (hasMode(await lstat(source), mode) && (await tryLink(source, destination))) return;
  await copyFile(source, destination, constants.COPYFILE_FICLONE);
  await chmod(destination, mode);
}

/** Not for a symbolic link: its hard link would be a symbolic link too. */
function hasMode(stats: Stats, mode: number): boolean {
  return stats.isFile() && (stats.mode & 0o7777) === mode;
}

/** Fails between disks. */
async function tryLink(source: string, destination: string): Promise<boolean> {
  try {
    await link(source, destination);
    return true;
  } catch {
    return false;
  }
}
