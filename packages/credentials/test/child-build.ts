import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const run = promisify(execFile);

const packageDirectory = fileURLToPath(new URL('..', import.meta.url));

/** A file next to this one for child processes. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
}

/** Builds this package for child processes, in a folder of its own per test file; gives the file to load. */
export async function buildForChildren(name: string): Promise<string> {
  const directory = join(packageDirectory, 'node_modules', '.test-build', name);
  const tsup = join(packageDirectory, '..', '..', 'node_modules', 'tsup', 'dist', 'cli-default.js');
  await run(process.execPath, [tsup, '--config', fixture('tsup.config.ts'), '--out-dir', directory], {
    cwd: packageDirectory,
  });
  return join(directory, 'index.cjs');
}
