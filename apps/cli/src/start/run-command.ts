import { commands } from 'virtual:commands';
import { drained, guardStdout } from '../output/guard-stdout.ts';
import { preparedConfig } from './prepared-config.ts';

/** One command line, with the command found already. */
export interface FoundCommand {
  /** `cloud:tenant:list` */
  readonly id: string;
  /** What follows the command's words. */
  readonly argv: readonly string[];
}

/**
 * Runs one command as oclif would, with the configuration that was prepared at build time, and ends the process.
 *
 * @returns `false` when the bundle has no such command
 */
export async function runCommand({ id, argv }: FoundCommand): Promise<false> {
  const CommandType = await commands[id]?.();
  if (CommandType === undefined) return false;
  CommandType.id = id;
  guardStdout();
  await new CommandType([...argv], preparedConfig())._run();
  await drained(process.stdout);
  return process.exit();
}
