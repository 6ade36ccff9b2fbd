import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { DatabaseError } from './database-error.ts';

/** A program that comes with Postgres. */
export type PostgresTool = 'pg_dump' | 'pg_restore' | 'psql';

/** Where Postgres' own programs are looked for. */
export interface ToolOptions {
  /**
   * Folders that are looked in first, for example those of `PATH`.
   * @defaultValue `[]`: only where systems install Postgres
   */
  readonly toolFolders?: readonly string[] | undefined;
}

/** A program that was found. */
export interface FoundTool {
  /** The program's file. */
  readonly path: string;
  /** Its major version. */
  readonly version: number;
}

const installed = [
  { parent: '/usr/lib/postgresql', below: 'bin' },
  { parent: '/usr/local/opt', below: 'bin' },
  { parent: '/opt/homebrew/opt', below: 'bin' },
  { parent: 'C:\\Program Files\\PostgreSQL', below: 'bin' },
];

/**
 * Finds the program that fits a server: the first one that is new enough, else the newest in the places where systems
 * install Postgres.
 * @throws {DatabaseError} SP_DATABASE_TOOL_MISSING with `neededVersion` and `foundVersion`
 */
export async function resolvePostgresTool(
  tool: PostgresTool,
  options: ToolOptions & {
    /** Major version of the server. Dumps of a newer server than the program are refused by the program. */
    readonly serverMajor: number;
  },
): Promise<FoundTool> {
  const { serverMajor, toolFolders = [] } = options;
  let newest: FoundTool | undefined;
  for (const folder of [...toolFolders, ...(await installedFolders())]) {
    const found = await findIn(folder, tool);
    if (found === undefined) continue;
    if (found.version >= serverMajor) return found;
    if (newest === undefined || found.version > newest.version) newest = found;
  }
  const what =
    newest === undefined ? `there is no ${tool}` : `the newest ${tool} found is of version ${newest.version}`;
  throw new DatabaseError(
    'SP_DATABASE_TOOL_MISSING',
    `Postgres ${serverMajor} needs ${tool} ${serverMajor}, and ${what}`,
    {
      tool,
      neededVersion: serverMajor,
      foundVersion: newest?.version,
    },
  );
}

async function findIn(folder: string, tool: PostgresTool): Promise<FoundTool | undefined> {
  const path = join(folder, tool);
  const result = await execa(path, ['--version'], {
    env: {},
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 10_000,
  });
  const version = /\(PostgreSQL\) (\d+)/.exec(result.stdout ?? '')?.[1];
  return version === undefined ? undefined : { path, version: Number(version) };
}

// `/usr/lib/postgresql/17/bin`, `/opt/homebrew/opt/libpq/bin`: newest first, as far as names tell.
async function installedFolders(): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const { parent, below } of installed) {
    const names = await readdir(parent).catch(() => []);
    const ours = names.filter((name) => /^(\d+|postgresql(@\d+)?|libpq)$/.test(name));
    for (const name of ours.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))) {
      folders.push(join(parent, name, below));
    }
  }
  return folders;
}
