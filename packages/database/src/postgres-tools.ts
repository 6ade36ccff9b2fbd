import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { DatabaseAddress } from './database-address.ts';
import { DatabaseError } from './database-error.ts';
import { firstWithTransactionTimeout } from './dump-origin.ts';

/** A program that comes with Postgres. */
export type PostgresTool = 'pg_dump' | 'pg_restore' | 'psql';

/** Where Postgres' own programs are looked for. */
export interface ToolOptions {
  /**
   * Folders that are looked in first, for example those of `PATH`.
   * @defaultValue `[]`: only where systems install Postgres
   */
  readonly toolFolders?: readonly string[] | undefined;
  /** Where the programs are run when those of this computer are absent or too old. @defaultValue nowhere */
  readonly elsewhere?: ToolPlace | undefined;
}

/** Another place with Postgres' own programs, such as a container. They see none of this computer's files. */
export interface ToolPlace {
  /** Uses the place also when this computer has programs that would do. @defaultValue false */
  readonly preferred?: boolean | undefined;
  /** Finds a program that fits and that reaches the server, or tells why there is none. */
  find(tool: PostgresTool, options: ToolPlaceQuery): Promise<PlacedTool | { readonly problem: string }>;
}

/** What a program is needed for. */
export interface ToolPlaceQuery {
  /** The database, as it is reached from this computer. */
  readonly address: DatabaseAddress;
  /** Major version of the server: the program must be at least as new. */
  readonly serverMajor: number;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/** A program in another place. Its input and output are those of the command that starts it. */
export interface PlacedTool extends FoundTool {
  /** Arguments of the command, before those of the program. They must not hold the password. */
  readonly arguments: readonly string[];
  /** The database, as it is reached from there. The command gets it by environment and passes that on. */
  readonly address: DatabaseAddress;
}

/** A program that was found. */
export interface FoundTool {
  /** The program's file, or that of the command that starts it elsewhere. */
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
 * Finds the program that fits a server: of the server's own major version, else the next newer one; of any version the
 * first. `pg_restore` of 17 and later is of no use for older servers: it sets what they do not know.
 * @throws {DatabaseError} SP_DATABASE_TOOL_MISSING with `neededVersion` and `foundVersion`
 */
export async function resolvePostgresTool(
  tool: PostgresTool,
  options: ToolOptions & {
    /** Major version of the server, which `pg_dump` and `pg_restore` must have at least; 0 takes any program. */
    readonly serverMajor: number;
  },
): Promise<FoundTool> {
  const { serverMajor, toolFolders = [] } = options;
  let best: FoundTool | undefined;
  let newest: FoundTool | undefined;
  for (const folder of [...toolFolders, ...(await installedFolders())]) {
    const found = await findIn(folder, tool);
    if (found === undefined) continue;
    if (serverMajor === 0 || found.version === serverMajor) return found;
    if (newest === undefined || found.version > newest.version) newest = found;
    if (found.version < serverMajor || (best !== undefined && best.version <= found.version)) continue;
    if (tool !== 'pg_restore' || !isTooNew(found, serverMajor)) best = found;
  }
  if (best !== undefined) return best;
  const what =
    newest === undefined ? `there is no ${tool}` : `the newest ${tool} found is of version ${newest.version}`;
  const message =
    serverMajor === 0 ? `There is no ${tool}` : `Postgres ${serverMajor} needs ${tool} ${serverMajor}, and ${what}`;
  throw new DatabaseError('SP_DATABASE_TOOL_MISSING', message, {
    tool,
    neededVersion: serverMajor === 0 ? undefined : serverMajor,
    foundVersion: newest?.version,
  });
}

/** Whether what a program of this version writes cannot be read by a server of that version. */
export function isTooNew({ version }: FoundTool, serverMajor: number): boolean {
  return version >= firstWithTransactionTimeout && serverMajor < firstWithTransactionTimeout;
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
