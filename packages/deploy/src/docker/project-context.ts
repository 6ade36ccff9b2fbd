import { lstat, readdir, readlink, realpath, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileIdentity } from '@sp/oci';
import { throwIfAborted } from '../deploy-error.ts';
import { createIgnoreMatcher, type IgnoreMatcher } from '../plan/ignore-rules.ts';
import type { ImagePlan, PlanDockerfile } from '../plan/image-plan.ts';
import { replaced, stageFile } from './stage-file.ts';
import { makeDirectories } from './staged-folders.ts';

/**
 * Puts into a folder what a Dockerfile of the project may copy: the project without what the ignore rules take out. So
 * docker sees the same whatever its version reads of ignore files, and no secret by any.
 */
export async function stageProject(
  directory: string,
  {
    plan,
    dockerfile,
    signal,
  }: { readonly plan: ImagePlan; readonly dockerfile: PlanDockerfile; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const ignore = createIgnoreMatcher(dockerfile.ignore, dockerfile.neverCopy);
  for await (const { path, kind, identity } of walk(plan.projectRoot, '', ignore)) {
    throwIfAborted(signal);
    const source = join(plan.projectRoot, path);
    const destination = join(directory, path);
    if (kind === 'directory') await makeDirectories(directory, path);
    else {
      await makeDirectories(directory, join(path, '..'));
      // A link stays a link, as docker has it: what it points to is not looked at.
      if (kind === 'link') await symlink(await readlink(source), destination);
      else await stageFile({ source, destination, identity });
    }
  }
}

interface Entry {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link';
  /** `fileIdentity` of `@sp/oci`. */
  readonly identity: string;
}

/** Every entry is looked at without following it, and a folder that became a link to elsewhere is noticed. */
async function* walk(root: string, folder: string, ignore: IgnoreMatcher): AsyncGenerator<Entry> {
  const place = join(root, folder);
  const real = await realpath(place);
  // The project itself may be reached through a link.
  if (folder !== '' && real !== join(await realpath(root), folder)) throw replaced(place);
  for (const name of (await readdir(place)).toSorted()) {
    const path = folder === '' ? name : `${folder}/${name}`;
    const ignored = ignore.ignores(path);
    if (ignored && !ignore.hasExceptions) continue;
    const stats = await lstat(join(root, path), { bigint: true });
    const identity = fileIdentity(stats);
    if (stats.isDirectory()) {
      if (!ignored) yield { path, kind: 'directory', identity };
      yield* walk(root, path, ignore);
    } else if (!ignored && stats.isSymbolicLink()) yield { path, kind: 'link', identity };
    else if (!ignored && stats.isFile()) yield { path, kind: 'file', identity };
  }
  if ((await realpath(place)) !== real) throw replaced(place);
}
