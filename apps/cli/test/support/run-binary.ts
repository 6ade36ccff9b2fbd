import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expectDocument, expectLines } from './check-schema.ts';

/** The built program; `pnpm run build` makes what it needs. */
export const binaryPath = fileURLToPath(new URL('../../bin/run.cjs', import.meta.url));

/** The command of a command line: the longest run of leading words that has a schema. */
function commandOf(args: readonly string[]): string {
  const words = args.slice(0, args.findIndex((word) => word.startsWith('-')) >>> 0);
  for (let length = words.length; length > 0; length -= 1) {
    const name = words.slice(0, length).join('-');
    if (existsSync(new URL(`../../schemas/${name}.json`, import.meta.url))) return name;
  }
  return 'error';
}

/** Runs the built binary as a script would: stdin closed, no terminal, and only the environment given. */
export async function runBinary(
  args: readonly string[],
  options: {
    cwd: string;
    env?: Readonly<Record<string, string>>;
    stdin?: string;
    /** It must have ended by then. @defaultValue the test's own limit */
    timeoutMs?: number;
    /** Given what sends Ctrl-C. */
    started?: (interrupt: () => void) => void;
    onStderr?: (stderr: string, interrupt: () => void) => void;
    interruptAfter?: (stderr: string, stdout: string) => boolean;
  },
): Promise<{ stdout: string; stderr: string; exitCode: number | null }> {
  if (!existsSync(fileURLToPath(new URL('../../dist/index.js', import.meta.url)))) {
    throw new Error('apps/cli is not built: pnpm run build');
  }
  const child = spawn(process.execPath, [binaryPath, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: options.cwd, NO_COLOR: '1', ...options.env },
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(options.stdin);
  let stdout = '';
  const send = (): void => void child.kill('SIGINT');
  let interrupted = false;
  const interrupt = (): void => {
    if (interrupted || options.interruptAfter?.(stderr, stdout) !== true) return;
    interrupted = true;
    child.kill('SIGINT');
  };
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    interrupt();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.onStderr?.(stderr, send);
    interrupt();
  });
  options.started?.(send);
  const late = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 2 ** 31 - 1);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(late);
  if (args.includes('--json')) expectDocument(commandOf(args), stdout);
  if (args.includes('--json-lines')) expectLines(commandOf(args), stdout);
  return { stdout, stderr, exitCode };
}
