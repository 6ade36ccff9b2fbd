import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { throwIfAborted } from '../deploy-error.ts';
import type { ImagePlan } from '../plan/image-plan.ts';
import { renderDockerfile, skeletonFolder } from '../plan/render-dockerfile.ts';
import { stageProject } from './project-context.ts';
import { stageFile } from './stage-file.ts';
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
    for (const { source, mode, identity } of plan.files) {
      throwIfAborted(signal);
      await makeDirectories(directory, dirname(source));
      await stageFile({ source: join(plan.projectRoot, source), destination: join(directory, source), mode, identity });
    }
    await writeFile(dockerfile, renderDockerfile(plan));
    return { directory, dockerfile, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
