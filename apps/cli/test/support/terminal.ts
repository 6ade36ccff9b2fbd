import { spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { onTestFinished } from 'vitest';
import { binaryPath } from './run-binary.ts';

/** The built program in a terminal, and what a person in front of it sees and does. */
export interface TerminalSession {
  /** The lines on the screen and those that have scrolled away, without the empty ones at the end. */
  screen(): string;
  /** Everything that was written, escape sequences and all. */
  raw(): string;
  /** Whether the cursor is shown. */
  cursorShown(): boolean;
  /** Waits until the screen shows it. */
  see(text: string | RegExp): Promise<void>;
  type(text: string): void;
  resize(columns: number): void;
  /** The exit code, once the program has ended and everything that it wrote is on the screen. */
  ended(): Promise<number>;
}

export const keys = { enter: '\r', down: '\u001b[B', left: '\u001b[D', interrupt: '\u0003' } as const;

/** How long something took, of which nobody knows how much it is. */
export const duration = '\\((?:\\d+ min )?\\d+(?:\\.\\d)? s\\)';

/** Starts `systemprompt` in a terminal of its own. */
export function openTerminal(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>>; readonly columns?: number },
): TerminalSession {
  const { cwd, env = {}, columns: cols = 100 } = options;
  const rows = 30;
  const child = spawn(process.execPath, [binaryPath, ...args], {
    name: env['TERM'] ?? 'xterm-256color',
    cols,
    rows,
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, npm_config_registry: 'http://127.0.0.1:1', ...env },
  });
  const terminal = new xterm.Terminal({ cols, rows, scrollback: 1000, allowProposedApi: true });
  let raw = '';
  let exitCode: number | undefined;
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const check of waiting) check();
  };
  child.onData((data) => {
    raw += data;
    terminal.write(data, look);
  });
  child.onExit((exit) => {
    // What is still on its way to the screen comes first.
    terminal.write('', () => {
      exitCode = exit.exitCode;
      look();
    });
  });
  onTestFinished(() => {
    if (exitCode === undefined) child.kill('SIGKILL');
    terminal.dispose();
  });
  const screen = (): string => {
    const { active } = terminal.buffer;
    const lines: string[] = [];
    for (let row = 0; row < active.length; row += 1) {
      const line = active.getLine(row);
      const text = line?.translateToString(true) ?? '';
      if (line?.isWrapped === true) lines.push(`${lines.pop() ?? ''}${text}`);
      else lines.push(text);
    }
    return lines.join('\n').trimEnd();
  };
  const until = <T>(find: () => T | undefined, what: string): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const check = (): void => {
        const found = find();
        if (found === undefined && exitCode === undefined) return;
        waiting.delete(check);
        clearTimeout(timer);
        if (found === undefined) reject(new Error(`Ended with ${exitCode} before ${what}:\n${screen()}`));
        else resolve(found);
      };
      const timer = setTimeout(() => {
        waiting.delete(check);
        reject(new Error(`Waited in vain for ${what}:\n${screen()}`));
      }, 120_000);
      waiting.add(check);
      check();
    });
  return {
    screen,
    raw: () => raw,
    cursorShown: () => raw.lastIndexOf('\u001b[?25h') >= raw.lastIndexOf('\u001b[?25l'),
    see: async (text) => {
      const shown = (): true | undefined =>
        (typeof text === 'string' ? screen().includes(text) : text.test(screen())) ? true : undefined;
      await until(shown, String(text));
    },
    type: (text) => child.write(text),
    resize: (columns) => {
      child.resize(columns, rows);
      terminal.resize(columns, rows);
    },
    ended: () => until(() => exitCode, 'its end'),
  };
}
