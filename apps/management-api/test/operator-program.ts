import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../bin/sp-management-api.js', import.meta.url));

/** What a command said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON. */
  json(): unknown;
}

/** A `serve` that is ready. */
export interface Served {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it wrote so far. */
  log(): string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const running = new Set<ChildProcess>();

/** Starts the built program as an operator would, with an environment of nothing but `env`. */
export function startProgram(args: readonly string[], env: Environment) {
  if (!existsSync(new URL('../dist/main.js', import.meta.url))) throw new Error('Build the package before this test');
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = new Promise<Ended>((done) => {
    child.on('close', (code) => {
      running.delete(child);
      done({ code, ...output, json: () => JSON.parse(output.stdout) as unknown });
    });
  });
  return { child, ended, output };
}

/** Runs a command to its end. */
export function runProgram(args: readonly string[], env: Environment): Promise<Ended> {
  return startProgram(args, env).ended;
}

/** Runs `serve` until it says that it serves. */
export async function startServe(env: Environment, args: readonly string[] = []): Promise<Served> {
  const { child, ended, output } = startProgram(['serve', ...args], env);
  for (;;) {
    const line = output.stdout.split('\n').find((text) => text.includes('"msg":"serving"'));
    if (line !== undefined) {
      const { port } = JSON.parse(line) as { port: number };
      return { url: `http://127.0.0.1:${port}`, child, ended, log: () => output.stdout };
    }
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`serve ended: ${output.stdout.slice(-2000)}${output.stderr}`);
    }
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Ends what a failed test left. */
export function killPrograms(): void {
  for (const child of running) child.kill('SIGKILL');
}
