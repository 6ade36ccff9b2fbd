import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

/**
 * The shared libraries that a program of this computer needs, by the paths under which it finds them, and the dynamic
 * loader itself. Linux only.
 */
export async function listSharedLibraries(program: string): Promise<readonly string[]> {
  const { stdout } = await execa('ldd', [program], { env: { LC_ALL: 'C' } });
  const found: string[] = [];
  for (const line of stdout.split('\n')) {
    // `libc.so.6 => /lib/…/libc.so.6 (0x…)`, or the loader alone: `/lib64/ld-linux-x86-64.so.2 (0x…)`.
    const path = /(?:=>\s+|^\s*)(\/\S+)\s+\(0x/.exec(line)?.[1];
    if (path !== undefined) found.push(path);
    else if (line.includes('not found')) throw new Error(`A library of ${program} is missing: ${line.trim()}`);
  }
  return found;
}

/** Libraries that the C library loads by itself to look up hosts; newer ones have them inside. */
export async function listNameServiceLibraries(libraries: readonly string[]): Promise<readonly string[]> {
  const libc = libraries.find((path) => /\/libc\.so\.\d+$/.test(path));
  if (libc === undefined) return [];
  const candidates = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'].map((name) =>
    join(dirname(libc), name),
  );
  const present = await Promise.all(
    candidates.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return candidates.filter((_, at) => present[at]);
}
