import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { throwIfAborted } from '../deploy-error.ts';
import type { ImagePlan } from '../plan/image-plan.ts';
import { renderDockerfile, skeletonFolder } from '../plan/render-dockerfile.ts';

/** A folder that docker builds from. */
export interface BuildContext {
  /** Holds exactly the plan's files, at their places in the project. */
  readonly directory: string;
  readonly dockerfile: string;
  /** Deletes both. */
  remove(): Promise<void>;
}

/**
 * Puts the plan's files into a temporary folder, so that docker gets these files with these modes and nothing else,
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
    if (plan.packages.length === 0) {
      for (const path of plan.directories) await makeDirectories(directory, join(skeletonFolder, path));
    }
    for (const { source, mode } of plan.files) {
      throwIfAborted(signal);
      await makeDirectories(directory, dirname(source));
      await stageFile(join(plan.projectRoot, source), join(directory, source), mode);
    }
    const dockerfile = join(root, 'Dockerfile');
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

/** Each missing folder with mode 0755, whatever the umask: docker copies the modes of folders too. */
async function makeDirectories(root: string, path: string): Promise<void> {
  let current = root;
  for (const segment of path.split(/[\\/]/)) {
    if (segment === '' || segment === '.') continue;
    current = join(current, segment);
    await makeDirectory(current);
  }
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path).then(
    () => chmod(path, 0o755),
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
}
