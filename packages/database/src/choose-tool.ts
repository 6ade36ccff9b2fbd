import type { DatabaseAddress } from './database-address.ts';
import { DatabaseError, isDatabaseError } from './database-error.ts';
import {
  type FoundTool,
  isTooNew,
  type PlacedTool,
  type PostgresTool,
  resolvePostgresTool,
  type ToolOptions,
  type ToolPlaceQuery,
} from './postgres-tools.ts';

/** What a run needs: where the program is, and the database as it is reached from there. */
export interface ChosenTool {
  readonly found: FoundTool | PlacedTool;
  readonly address: DatabaseAddress;
  /** Whether it runs elsewhere, and so sees no files. */
  readonly elsewhere: boolean;
}

/**
 * The program that fits a server: of this computer, else of the place that was given. A `pg_dump` of this computer whose
 * dumps the server itself could not take comes last.
 * @throws {DatabaseError} SP_DATABASE_TOOL_MISSING
 */
export async function chooseTool(
  tool: PostgresTool,
  options: ToolOptions & ToolPlaceQuery & { /** Whether it must see files. */ readonly files: boolean },
): Promise<ChosenTool> {
  const { address, elsewhere, files, serverMajor, signal } = options;
  const here = async (): Promise<ChosenTool> => ({
    found: await resolvePostgresTool(tool, options),
    address,
    elsewhere: false,
  });
  if (elsewhere === undefined) return await here();
  if (files) return await here().catch(withReason('a folder is for programs of this computer only'));
  let missing: DatabaseError | undefined;
  let last: ChosenTool | undefined;
  if (elsewhere.preferred !== true) {
    try {
      const chosen = await here();
      if (tool !== 'pg_dump' || !isTooNew(chosen.found, serverMajor)) return chosen;
      last = chosen;
    } catch (error) {
      if (!isDatabaseError(error) || error.code !== 'SP_DATABASE_TOOL_MISSING') throw error;
      missing = error;
    }
  }
  const found = await elsewhere.find(tool, { address, serverMajor, signal });
  signal?.throwIfAborted();
  if (!('problem' in found)) return { found, address: found.address, elsewhere: true };
  if (last !== undefined) return last;
  const message = missing?.message ?? `There is no ${tool} to be had`;
  throw new DatabaseError('SP_DATABASE_TOOL_MISSING', `${message}; ${found.problem}`, {
    tool,
    neededVersion: serverMajor,
    foundVersion: missing?.foundVersion,
  });
}

function withReason(reason: string): (error: unknown) => never {
  return (error) => {
    if (!isDatabaseError(error) || error.code !== 'SP_DATABASE_TOOL_MISSING') throw error;
    const { tool, neededVersion, foundVersion } = error;
    throw new DatabaseError(error.code, `${error.message}; ${reason}`, { tool, neededVersion, foundVersion });
  };
}
