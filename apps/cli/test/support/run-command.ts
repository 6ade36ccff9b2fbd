import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import type { BaseCommand } from '../../src/base-command.ts';
import type { CommandEvent } from '../../src/output/command-event.ts';
import { type Context, type ContextOptions, createContext } from '../../src/context.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a command left behind. */
export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** What of a command the tests reach for besides its public face. */
interface Runnable {
  createContext(): Context;
  emitEvent(event: CommandEvent): void;
  _run(): Promise<unknown>;
}

/** Runs a command class in this process, in a world of its own; nothing of the real environment is seen. */
export async function runCommand(
  CommandType: new (argv: string[], config: Config) => BaseCommand,
  argv: readonly string[],
  world: Pick<ContextOptions, 'cwd'> & Partial<ContextOptions>,
): Promise<Finished> {
  let notes = '';
  const command = new CommandType([...argv], await Config.load(root));
  const runnable = command as unknown as Runnable;
  runnable.createContext = () =>
    createContext({
      env: {},
      version: '0.0.0',
      json: command.jsonEnabled(),
      interactive: false,
      animation: false,
      emit: (event) => runnable.emitEvent(event),
      write: (text) => {
        notes += text;
      },
      signal: new AbortController().signal,
      readStdin: () => Promise.resolve(''),
      ...world,
    });
  const stdout = capture(process.stdout);
  const stderr = capture(process.stderr);
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await runnable._run();
    return { stdout: stdout.text(), stderr: notes + stderr.text(), exitCode: currentExitCode() };
  } finally {
    stdout.restore();
    stderr.restore();
    process.exitCode = before;
  }
}

/** A function, because the compiler believes that what was assigned above is still there. */
function currentExitCode(): number {
  return Number(process.exitCode ?? 0);
}

function capture(stream: NodeJS.WriteStream): { text(): string; restore(): void } {
  const original = stream.write.bind(stream);
  let text = '';
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    text += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
    const done = rest.find((argument) => typeof argument === 'function') as (() => void) | undefined;
    done?.();
    return true;
  };
  return {
    text: () => text,
    restore: () => {
      stream.write = original;
    },
  };
}
