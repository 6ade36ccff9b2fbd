import { posix } from 'node:path';
import * as z from 'zod/mini';
import type { ProjectFinding } from '../deploy-error.ts';
import { entryKind, listNames } from './project-files.ts';
import { readYaml } from './read-yaml.ts';

const profileSchema = z.object({ secrets: z.object({ secrets_path: z.string() }) });

/**
 * Where the project's profiles say that their secrets are: ignore lines for those inside of the project. A profile that
 * cannot be read is found: nobody knows where its secrets are.
 */
export async function profileSecretPaths(projectRoot: string, findings: ProjectFinding[]): Promise<readonly string[]> {
  const folders = (await listNames(projectRoot, profilesFolder)).map((name) => `${profilesFolder}/${name}`);
  const paths = await Promise.all(
    folders.map(async (folder) => {
      const profile = profileSchema.safeParse(await readYaml(projectRoot, `${folder}/profile.yaml`, findings));
      if (!profile.success) return [];
      const { secrets_path: path } = profile.data.secrets;
      const root = projectRoot.replaceAll('\\', '/');
      const inside = posix.isAbsolute(path) ? posix.relative(root, path) : posix.join(folder, path);
      // Only a file: a path such as `./` must not take the whole profile out of the image.
      if (inside.startsWith('..') || (await entryKind(projectRoot, inside)) !== 'file') return [];
      return [inside.replace(/[*?[\]\\]/g, '\\$&')];
    }),
  );
  return paths.flat();
}

/** Where the profiles of a project are. */
export const profilesFolder = '.systemprompt/profiles';
