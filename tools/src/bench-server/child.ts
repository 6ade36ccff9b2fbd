import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A process of the benchmark; what it prints comes line by line. */
export interface Child {
  readonly process: ChildProcess;
  /** The next line that is JSON. */
  line<T>(): Promise<T>;
  /** Writes a line to it. */
  tell(message: object): void;
  stop(): Promise<void>;
}

/** Starts a Node program with an environment of its own, and nothing else's. */
export function startChild(
  args: readonly string[],
  { env = {}, stdout }: { readonly env?: Readonly<Record<string, string>>; readonly stdout?: number } = {},
): Child {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, args, {
    env: { PATH, HOME, ...env },
    stdio: ['pipe', stdout ?? 'pipe', 'inherit'],
  });
  const lines: unknown[] = [];
  let wake: (() => void) | undefined;
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (text) => {
      if (!text.startsWith('{')) return;
      lines.push(JSON.parse(text));
      wake?.();
    });
  }
  const ended = once(child, 'exit').then(() => wake?.());
  return {
    process: child,
    line: async <T>() => {
      while (lines.length === 0) {
        if (child.exitCode !== null) throw new Error(`A process of the benchmark ended with ${child.exitCode}`);
        await new Promise<void>((done) => {
          wake = done;
        });
      }
      return lines.shift() as T;
    },
    tell: (message) => child.stdin?.write(`${JSON.stringify(message)}\n`),
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(late);
    },
  };
}
