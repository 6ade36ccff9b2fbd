import { spawn } from 'node:child_process';

/** How a command is run. */
export interface RunCommandOptions {
  /** What the command is called on screen. */
  readonly title: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether its output goes to the screen, line by line as it comes. */
  readonly show: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a program to its end and answers what it wrote to stdout. Its stdin is closed: nothing may ask. Rejects unless it
 * exits with 0, with what it wrote to stderr if that was not shown.
 */
export async function runCommand(argv: readonly string[], options: RunCommandOptions): Promise<string> {
  const { title, cwd, env, show, signal } = options;
  const started = performance.now();
  const seconds = (): string => ((performance.now() - started) / 1000).toFixed(1);
  const [program = '', ...args] = argv;
  if (show) console.log(`  $ ${title}`);
  // Detached: Ctrl-C of the terminal would reach it besides our signal, and the second one ends it without a clean-up.
  const child = spawn(program, args, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  // A command that is silent for long must not look as if it hung.
  const alive = setInterval(() => show && console.log(`    (${seconds()} s …)`), 5000);
  const stop = (): void => void child.kill('SIGINT');
  signal?.addEventListener('abort', stop, { once: true });
  let stdout = '';
  let stderr = '';
  const print = prefixLines((line) => console.log(`    ${line}`));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (show) print(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (show) print(text);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code === 0) return stdout;
    throw new Error(`\`${title}\` ended with exit code ${code}${show ? '' : `\n${stderr || stdout}`}`);
  } finally {
    clearInterval(alive);
    signal?.removeEventListener('abort', stop);
    if (show) console.log(`    (${seconds()} s)`);
  }
}

/** Whole lines only, so that two streams do not mix inside of one. */
function prefixLines(printLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) printLine(line);
  };
}
