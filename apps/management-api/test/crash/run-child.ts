import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import manifest from '../../package.json' with { type: 'json' };
import type { ChildMessage, ChildOptions, ParentMessage } from './messages.ts';

const { dependencies } = manifest;

/** A program of this folder, bundled where Node finds its packages. */
export async function bundle(name: string): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const parent = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'sp-crash-'));
  await build({
    config: false,
    silent: true,
    entry: { [name]: fileURLToPath(new URL(`./${name}.ts`, import.meta.url)) },
    outDir: folder,
    outExtension: () => ({ js: '.mjs' }),
    format: ['esm'],
    target: 'node20',
    // Named here: the bundler would look in the folder that the tests were started from.
    external: Object.keys(dependencies),
    noExternal: [/^@sp\//],
    esbuildOptions: (options) => {
      options.conditions = ['@sp/source'];
    },
  });
  return { path: join(folder, `${name}.mjs`), remove: () => rm(folder, { recursive: true, force: true }) };
}

export interface Child {
  readonly process: ChildProcess;
  /** Everything that it wrote to stderr. */
  stderr(): string;
  send(message: ParentMessage): void;
  kill(): Promise<void>;
  /** Asks it to end, and waits until it has. */
  end(): Promise<void>;
}

/** Starts the bundled program and waits until its engine runs. */
export async function startChild(
  path: string,
  options: ChildOptions,
  onMessage: (message: ChildMessage) => void,
): Promise<Child> {
  const child = spawn(process.execPath, [path], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { PATH: process.env['PATH'], SP_CRASH_CHILD: JSON.stringify(options) },
  });
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = once(child, 'exit');
  await new Promise<void>((done, fail) => {
    child.on('message', (message: ChildMessage) => (message.type === 'ready' ? done() : onMessage(message)));
    void exited.then(() => fail(new Error(`The child ended: ${stderr}`)));
  });
  return {
    process: child,
    stderr: () => stderr,
    send: (message) => void child.send(message),
    end: async () => {
      child.kill('SIGTERM');
      await exited;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
