import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What a finished command said. */
export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON. */
  json(): unknown;
}

/** A copy of the example project with a home and a local cloud of its own. */
export interface TestProject extends AsyncDisposable {
  /** The project's folder; its name holds a space on purpose. */
  readonly directory: string;
  readonly dataDir: string;
  /** A program for `BROWSER` that fills in the sandbox pages by itself. */
  readonly sandboxBrowser: string;
  /** Runs the built `systemprompt` to its end. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>, input?: string, cwd?: string): Promise<Finished>;
  /** Starts the built `systemprompt`; `finished` settles when it ends. */
  start(
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
    /** For stdin. @defaultValue nothing */
    input?: string,
    /** @defaultValue the project's folder */
    cwd?: string,
  ): { child: ChildProcess; finished: Promise<Finished> };
  /** The URL that the last command wanted to open in a browser; waits for it. */
  openedUrl(): Promise<string>;
}

export async function createTestProject(): Promise<TestProject> {
  const place = await mkdtemp(join(tmpdir(), 'sp e2e '));
  const directory = join(place, 'hello tenant');
  const dataDir = join(place, 'local cloud');
  const urlFile = join(place, 'opened-url');
  await cp(join(root, 'examples/hello-tenant'), directory, {
    recursive: true,
    filter: (source) => !/[\\/](node_modules|\.turbo|\.systemprompt)$/.test(source),
  });
  const sandboxBrowser = join(place, 'browser');
  const script = join(root, 'tools/dist/sandbox-browser.js');
  await writeFile(sandboxBrowser, `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`, { mode: 0o755 });
  const baseEnv: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: place,
    NO_COLOR: '1',
    SYSTEMPROMPT_LOCAL_DATA_DIR: dataDir,
    BROWSER: join(root, 'tools/test/support/record-url.mjs'),
    SP_TEST_URL_FILE: urlFile,
  };

  const start: TestProject['start'] = (args, env = {}, input = '', cwd = directory) => {
    const child = spawn(process.execPath, [join(root, 'apps/cli/bin/run.cjs'), ...args], {
      cwd,
      env: { ...baseEnv, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    const finished = new Promise<Finished>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr, json: () => JSON.parse(stdout) as unknown }));
    });
    return { child, finished };
  };

  const run: TestProject['run'] = (args, env, input, cwd) => start(args, env, input, cwd).finished;

  return {
    directory,
    dataDir,
    sandboxBrowser,
    start,
    run,
    openedUrl: async () => {
      for (;;) {
        const url = await readFile(urlFile, 'utf8').catch(() => '');
        if (url.endsWith('\n')) {
          await rm(urlFile);
          return url.trim();
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    [Symbol.asyncDispose]: async () => {
      await run(['cloud', 'local', 'down']);
      await rm(place, { recursive: true, force: true });
    },
  };
}
