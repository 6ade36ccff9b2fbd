import { delimiter } from 'node:path';

/** Where the person's own Postgres programs may be: the folders of `PATH`. */
export function toolFolders(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
}
