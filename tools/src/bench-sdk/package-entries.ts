import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An entry of a package: `@sp/credentials/login` is built to `credentials/dist/login`. */
export interface PackageEntry {
  readonly specifier: string;
  readonly entry: string;
}

/** What all libraries export for programs. */
export async function packageEntries(root: string): Promise<readonly PackageEntry[]> {
  const entries: PackageEntry[] = [];
  for (const folder of (await readdir(join(root, 'packages'))).toSorted()) {
    const manifest = JSON.parse(await readFile(join(root, 'packages', folder, 'package.json'), 'utf8')) as {
      readonly exports: Readonly<Record<string, { readonly default?: string }>>;
    };
    for (const [path, { default: file }] of Object.entries(manifest.exports)) {
      if (!file?.endsWith('.js')) continue;
      if (!existsSync(join(root, 'packages', folder, file))) {
        console.error(`@sp/${folder} is not built: ${file}`);
        continue;
      }
      entries.push({ specifier: `@sp/${folder}${path.slice(1)}`, entry: `${folder}/${file.slice(2, -3)}` });
    }
  }
  return entries;
}
