import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { LayerEntry } from '@sp/oci';

/** Programs of this computer with their libraries, for an image to run. */
export async function hostPrograms(programs: readonly string[]): Promise<readonly LayerEntry[]> {
  const libraries = execFileSync('ldd', programs, { encoding: 'utf8' }).match(/(?<=\s)\/[^\s:]+/g) ?? [];
  return Promise.all(
    Array.from(new Set([...programs, ...libraries]), async (path): Promise<LayerEntry> => {
      return { type: 'bytes', path: path.slice(1), content: await readFile(path), mode: 0o755 };
    }),
  );
}
