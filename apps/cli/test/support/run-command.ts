import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import type { BaseCommand } from '../../src/base-command.ts';
import { type Context, type ContextOptions, createContext } from '../../src/context.ts';
import type { CommandEvent } from '../../src/output/command-event.ts';
import { expectDocument, expectLines } from './check-schema.ts';

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

/** The id of a command class: where its file is. */
async function commandId(CommandType: unknown): Promise<string> {
  const folder = fileURLToPath(new URL('../../src/commands', import.meta.url));
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const { default: Found } = (await import(`${folder}/${file}`)) as { default: unknown };
    if (Found === CommandType) return file.replace(/\.ts$/, '').replaceAll(/[/\\]/g, ':');
  }
  throw new Error('This is no command of src/commands');
}

/**
 * Runs a command class in this process, in a world of its own; nothing of the real environment is seen. What it answers
 * under `--json` must be as its shipped schema says.
 */
export async function runCommand(
  CommandType: new (argv: string[], config: Config) => BaseCommand,
  argv: readonly string[],
  world: Pick<ContextOptions, 'cwd'> & Partial<ContextOptions>,
): Promise<Finished> {
  let notes = '';
  // As the loader does.
  const id = await commandId(CommandType);
  Object.assign(CommandType, { id });
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
    const finished = { stdout: stdout.text(), stderr: notes + stderr.text(), exitCode: currentExitCode() };
    if (argv.includes('--json')) expectDocument(id, finished.stdout);
    if (argv.includes('--json-lines')) expectLines(id, finished.stdout);
    return finished;
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
