import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type * as ManagementApi from '@sp/management-api';
import { writeBaseImage } from './base-image.ts';
import { runCommand } from './quickstart-command.ts';

/** What tenants run in. */
export type MachineKind = 'auto' | 'docker' | 'process';

/** What steps work with, and what they find out for later ones. */
export interface QuickstartWorld {
  readonly project: string;
  readonly machines: MachineKind;
  readonly providerDelayMs: number | undefined;
  readonly signal: AbortSignal;
  /** Runs `systemprompt` with live output; rejects unless it exits with 0. */
  systemprompt(...args: string[]): Promise<void>;
  /** Runs `systemprompt … --json` quietly and answers its document. */
  ask(...args: string[]): Promise<Record<string, unknown>>;
  say(text: string): void;
  /** The tenant's page, once it runs. */
  url?: string;
  /** The row of the tenant's database that its page showed first. */
  row?: string;
}

/** One step of the quickstart. */
export interface QuickstartStep {
  readonly title: string;
  run(world: QuickstartWorld): Promise<void>;
}

/** A quickstart that goes on. */
export interface Quickstart {
  /** Title of the step that runs or ran last. */
  readonly current: string;
  /** The step that makes the project, a base image and a browser in the work folder; to be run first. */
  readonly prepare: QuickstartStep;
  run(step: QuickstartStep): Promise<void>;
  /** Prints the summary; then stops the cloud and removes everything, or says how to go on. */
  end(options: { keep: boolean }): Promise<void>;
}

const repository = fileURLToPath(new URL('../..', import.meta.url));
const binary = join(repository, 'apps', 'cli', 'bin', 'run.cjs');

/** Makes the work folder. */
export async function createQuickstart(options: {
  machines: MachineKind;
  keep: boolean;
  providerDelayMs: number | undefined;
  signal: AbortSignal;
}): Promise<Quickstart> {
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'systemprompt quickstart-'));
  const project = join(folder, 'hello-tenant');
  const logPath = join(folder, 'browser.log');
  const exported = {
    SYSTEMPROMPT_LOCAL_DATA_DIR: join(folder, 'cloud'),
    SYSTEMPROMPT_BASE: `oci:${join(folder, 'base-image')}`,
    BROWSER: join(folder, 'browser'),
    SANDBOX_BROWSER_LOG: logPath,
  };
  // Nothing of a real login or of another local cloud may leak in.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('SYSTEMPROMPT_'));
  const env = { ...Object.fromEntries(inherited), XDG_CACHE_HOME: join(folder, 'cache'), ...exported };
  const times: { title: string; seconds: number; ok: boolean }[] = [];
  let current = 'prepare';

  const command = (args: readonly string[], show: boolean): Promise<string> =>
    runCommand([process.execPath, binary, ...args], {
      title: `systemprompt ${args.join(' ')}`,
      cwd: project,
      env,
      show,
      signal: options.signal,
    });
  const world: QuickstartWorld = {
    project,
    machines: options.machines,
    providerDelayMs: options.providerDelayMs,
    signal: options.signal,
    systemprompt: async (...args) => void (await command(args, true)),
    ask: async (...args) => JSON.parse(await command([...args, '--json'], false)) as Record<string, unknown>,
    say: (text) => console.log(`  ${text}`),
  };

  const run: Quickstart['run'] = async (step) => {
    options.signal.throwIfAborted();
    current = step.title;
    const begin = performance.now();
    console.log(`\n── ${step.title}`);
    let ok = false;
    try {
      await step.run(world);
      ok = true;
    } finally {
      times.push({ title: step.title, seconds: (performance.now() - begin) / 1000, ok });
      if (!ok && !options.signal.aborted) await showBrowserLog(logPath);
    }
  };

  return {
    get current() {
      return current;
    },
    run,
    prepare: {
      title: 'Prepare a project',
      run: async () => {
        world.say(`A copy of examples/hello-tenant in ${project}`);
        await copyProject(project);
        await writeBrowser(exported.BROWSER);
        world.say('A base image with Node in it');
        await writeBaseImage(join(folder, 'base-image'));
      },
    },
    end: async ({ keep }) => {
      printSummary(times, (performance.now() - started) / 1000);
      if (world.url !== undefined) {
        console.log(`\n  The tenant's page: ${world.url}${keep ? '' : ' (gone now; --keep leaves it running)'}`);
      }
      if (keep) {
        const { SYSTEMPROMPT_LOCAL_DATA_DIR, SYSTEMPROMPT_BASE, BROWSER } = exported;
        console.log(
          howToGoOn(
            { SYSTEMPROMPT_LOCAL_DATA_DIR, SYSTEMPROMPT_BASE, XDG_CACHE_HOME: env.XDG_CACHE_HOME, BROWSER },
            project,
          ),
        );
        return;
      }
      // No signal: cleaning up after Ctrl-C is what must not be interrupted.
      await runCommand([process.execPath, binary, 'cloud', 'local', 'down', '--json'], {
        title: 'clean up',
        cwd: folder,
        env,
        show: false,
      }).catch((error: unknown) =>
        console.error(`The local cloud could not be stopped: ${error instanceof Error ? error.message : error}`),
      );
      await removeCloud(exported.SYSTEMPROMPT_LOCAL_DATA_DIR);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Its containers, and what Postgres keeps elsewhere when this runs as root. */
async function removeCloud(dataDir: string): Promise<void> {
  // A name that the bundler does not follow: the server must be loaded as the package that it is.
  const name = '@sp/management-api';
  const { isLocalCloudError, removeLocalCloud } = (await import(name)) as typeof ManagementApi;
  // After a Ctrl-C the server may still be stopping what it had started.
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await removeLocalCloud({ dataDir });
    } catch (error) {
      const isStopping = isLocalCloudError(error) && error.code === 'SP_LOCAL_ALREADY_RUNNING';
      if (!isStopping || attempt === 100) throw error;
      await delay(200);
    }
  }
}

/** Only what a project consists of: no sources, no node_modules, nothing of an earlier login. */
async function copyProject(project: string): Promise<void> {
  const source = join(repository, 'examples', 'hello-tenant');
  for (const part of ['services', 'storage', 'web', 'target/release']) {
    await cp(join(source, part), join(project, part), { recursive: true });
  }
}

/** `BROWSER` must be one program; the folder has a space in its name, which proves that nothing splits paths. */
async function writeBrowser(path: string): Promise<void> {
  const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  const script = fileURLToPath(new URL('./sandbox-browser.js', import.meta.url));
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(script)} "$@"\n`);
  await chmod(path, 0o755);
}

async function showBrowserLog(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text !== '') console.log(`  The browser's log:\n${text.trimEnd().replace(/^/gm, '    ')}`);
}

function printSummary(times: readonly { title: string; seconds: number; ok: boolean }[], total: number): void {
  const width = Math.max(...times.map(({ title }) => title.length), 10);
  console.log(`\n── Summary`);
  for (const { title, seconds, ok } of times) {
    console.log(`  ${ok ? '✓' : '✗'} ${title.padEnd(width)} ${seconds.toFixed(1).padStart(6)} s`);
  }
  console.log(`    ${'in all'.padEnd(width)} ${total.toFixed(1).padStart(6)} s`);
}

function howToGoOn(exported: Readonly<Record<string, string>>, project: string): string {
  const quote = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;
  const notes: Readonly<Record<string, string>> = {
    BROWSER: '   # fills in the sandbox pages; leave it out to do it yourself',
  };
  const lines = Object.entries(exported).map(([name, value]) => `  export ${name}=${quote(value)}${notes[name] ?? ''}`);
  return [
    '\nThe cloud is still running. To go on:',
    ...lines,
    `  systemprompt() { ${quote(process.execPath)} ${quote(binary)} "$@"; }`,
    `  cd ${quote(project)}`,
    '  systemprompt cloud status',
    'To stop it: systemprompt cloud local down',
  ].join('\n');
}
