import { commands } from 'virtual:commands';
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
  await new CommandType([...argv], preparedConfig())._run();
  await drained(process.stdout);
  return process.exit();
}

/** A pipe may take a while; `process.exit` does not wait for it. */
async function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return;
  await new Promise<void>((resolve) => {
    stream.write('', () => resolve());
  });
}
