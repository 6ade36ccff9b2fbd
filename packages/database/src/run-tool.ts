import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import type { ChosenTool } from './choose-tool.ts';
import { type DatabaseAddress, showAddress, toPostgresEnvironment } from './database-address.ts';
import { DatabaseError } from './database-error.ts';
import type { PostgresTool } from './postgres-tools.ts';

/** One run of a program of Postgres' own. */
export interface ToolRun {
  readonly tool: PostgresTool;
  readonly chosen: ChosenTool;
  readonly arguments: readonly string[];
  /** What the program reads. @defaultValue nothing */
  readonly input?: Readable | undefined;
  /** Where what the program writes goes, piece by piece. @defaultValue nowhere */
  readonly output?: Writable | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs the program to its end. Aborting stops it.
 * @throws {DatabaseError} SP_DATABASE_TOOL_FAILED with the program's last words
 */
export async function runTool(run: ToolRun): Promise<void> {
  const { tool, chosen, input, output, signal } = run;
  const { found, address, elsewhere } = chosen;
  signal?.throwIfAborted();
  const first = 'arguments' in found ? found.arguments : [];
  const child = execa(found.path, [...first, ...run.arguments], {
    // By environment, so that no password is in the arguments.
    env: { ...toPostgresEnvironment(address), LC_ALL: 'C', PGAPPNAME: 'systemprompt' },
    // The command that leads elsewhere has settings of its own.
    extendEnv: elsewhere,
    stdin: input === undefined ? 'ignore' : 'pipe',
    stdout: output === undefined ? 'ignore' : 'pipe',
    stderr: 'pipe',
    // What goes through is piped and never collected.
    buffer: { stdout: false, stderr: true },
    maxBuffer: { stderr: 1_000_000 },
    reject: false,
    forceKillAfterDelay: 2_000,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  const fed = input === undefined || child.stdin === null ? undefined : pipeline(input, child.stdin);
  const drained = output === undefined || child.stdout === null ? undefined : pipeline(child.stdout, output);
  // A program that stops reading breaks the pipe: its own words say more. A full disk does not end the program by itself.
  let unread: unknown;
  const feeding = fed?.catch((error: unknown) => {
    unread = error;
  });
  let failure: unknown;
  const draining = drained?.catch((error: unknown) => {
    failure = error;
    child.kill();
  });
  const result = await child;
  await Promise.all([feeding, draining]);
  signal?.throwIfAborted();
  if (failure !== undefined) throw failure;
  if (!result.failed) {
    // What did not get all of its input has not done its work, whatever it says.
    if (unread !== undefined) throw unread;
    return;
  }
  const reason = lastWords(result.stderr, address) || result.shortMessage;
  throw new DatabaseError('SP_DATABASE_TOOL_FAILED', `${tool} of ${showAddress(address)} failed: ${reason}`, {
    tool,
    address: showAddress(address),
    foundVersion: found.version,
  });
}

// The programs do not print passwords, but statements that they repeat could hold anything.
function lastWords(text: string, { password }: DatabaseAddress): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const words = lines.slice(-4).join('; ');
  return password === undefined ? words : words.replaceAll(password, '***');
}
