// `npm start` and `npm test` from a fresh clone: installs, builds, then runs the quickstart or the tests.
// Plain JavaScript and Node's own modules only, because nothing else is there yet.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampPath = join(root, 'node_modules', '.bootstrap-stamp');
const usage = 'Usage: node tools/bootstrap.mjs start|test [arguments]';

const [task, ...taskArguments] = process.argv.slice(2);
requireNode();
if (task !== 'start' && task !== 'test') fail(usage, 2);

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const pnpmVersion = manifest.packageManager.replace(/^pnpm@/, '').replace(/\+.*$/, '');
const environment = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' };

await phase(`pnpm ${pnpmVersion}`, providePnpm);
await phase('install', install);
await phase('build', () =>
  run('pnpm', [
    'exec',
    'turbo',
    'run',
    'build',
    '--output-logs=errors-only',
    `--concurrency=${os.availableParallelism()}`,
  ]),
);
if (task === 'start') await finish(process.execPath, [join(root, 'tools', 'dist', 'quickstart.js'), ...taskArguments]);
else await finish('pnpm', ['exec', 'vitest', 'run', ...taskArguments]);

function requireNode() {
  const floor = [20, 19];
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > floor[0] || (major === floor[0] && minor >= floor[1])) return;
  fail(`Node ${floor.join('.')} or newer is needed; this is Node ${process.versions.node} (${process.execPath})`, 1);
}

/** Puts the pnpm that package.json names in front of PATH: the installed one if it is that version, else npm's copy. */
async function providePnpm() {
  const installed = spawnSync('pnpm', ['--version'], { cwd: root, env: environment, encoding: 'utf8' });
  if (installed.stdout?.trim() === pnpmVersion) return;
  const findIt = `console.log(process.env.PATH.split(${JSON.stringify(delimiter)}).find((d) => require("fs").existsSync(require("path").join(d, "pnpm"))))`;
  const found = npmExec(['--yes', '--prefer-offline', `--package=pnpm@${pnpmVersion}`, '--', 'node', '-e', findIt]);
  const directory = found.stdout?.trim().split('\n').at(-1);
  if (found.status !== 0 || !directory || !existsSync(directory)) {
    fail(`pnpm ${pnpmVersion} could not be had through npm:\n${found.stderr ?? found.error?.message ?? ''}`, 1);
  }
  // turbo looks for pnpm on PATH too.
  environment.PATH = `${directory}${delimiter}${process.env.PATH ?? ''}`;
}

/** `npm exec` without a shell of ours: through the npm that started this, else the one that came with this Node. */
function npmExec(args) {
  const options = { cwd: root, env: environment, encoding: 'utf8' };
  const npm = process.env.npm_execpath;
  if (npm && /npm-cli\.c?js$/.test(npm)) return spawnSync(process.execPath, [npm, 'exec', ...args], options);
  return spawnSync('npm', ['exec', ...args], options);
}

/** Installs only when a manifest or the lockfile changed since the last time, so that the second start needs no network. */
async function install() {
  const stamp = manifestsHash();
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return 'up to date';
  await run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline'], { CI: 'true' });
  writeFileSync(stampPath, stamp);
}

function manifestsHash() {
  const folders = ['packages', 'apps', 'examples'].flatMap((group) =>
    readdirSync(join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(group, entry.name)),
  );
  const hash = createHash('sha256');
  const files = ['.', 'tools', ...folders].map((folder) => join(folder, 'package.json'));
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...files.sort()]) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(file).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

async function phase(name, work) {
  const started = performance.now();
  console.log(`[bootstrap] ${name} …`);
  const result = await work();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`[bootstrap] ${name}: ${result ?? 'done'} in ${seconds} s`);
}

/** Runs a program to its end; its failure is ours. */
async function run(program, args, extra = {}) {
  const code = await spawned(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...environment, ...extra },
  });
  if (code !== 0) process.exit(code);
}

/** Hands over to the last program: its terminal, its exit code. */
async function finish(program, args) {
  process.exit(await spawned(program, args, { stdio: 'inherit', env: environment }));
}

function spawned(program, args, options) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, ...options });
    // Ctrl-C reaches the child by itself, through the terminal; it decides when it is over.
    const ignore = () => {};
    const forward = () => child.kill('SIGTERM');
    process.on('SIGINT', ignore);
    process.on('SIGTERM', forward);
    const end = (code) => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', forward);
      resolve(code);
    };
    child.once('error', (error) => {
      console.error(`[bootstrap] ${program} cannot be started: ${error.message}`);
      end(1);
    });
    child.once('exit', (code, signal) => end(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

function fail(message, code) {
  console.error(`[bootstrap] ${message}`);
  process.exit(code);
}
