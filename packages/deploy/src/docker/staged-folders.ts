import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Each missing folder with mode 0755, whatever the umask: docker copies the modes of folders too. */
export async function makeDirectories(root: string, path: string): Promise<void> {
  let current = root;
  for (const segment of path.split(/[\\/]/)) {
    if (segment === '' || segment === '.') continue;
    current = join(current, segment);
    await makeDirectory(current);
  }
}

/** One folder, unless it is there. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path).then(
    () => chmod(path, 0o755),
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
}
