import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program that runs a machine of the process driver. */
export function findSupervisor(): string {
  // Sources are two folders below the package, the build is one: look upwards.
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'bin', 'machine-supervisor.js');
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) throw new Error('The supervisor of @sp/management-api is not in its package');
  }
}
