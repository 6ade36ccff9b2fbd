// Rehearses a release: publishes every package with changesets to a registry on this computer, installs the CLI and the
// libraries from there with npm in an empty project, and uses them. Prints what a user's installation weighs.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const root = fileURLToPath(new URL('../../', import.meta.url));
const libraries = (await readdir(join(root, 'packages'))).map((name) => `@sp/${name}`);

async function main(): Promise<void> {
  const place = await mkdtemp(join(tmpdir(), 'sp release '));
  const stop = new AbortController();
  try {
    const registry = await startRegistry(place, stop.signal);
    const userConfig = join(place, 'npmrc');
    // The registry takes any token; npm only refuses to publish without one. Our scope goes nowhere else.
    const lines = [
      `registry=${registry}`,
      `@sp:registry=${registry}`,
      `${registry.replace('http:', '')}:_authToken=anybody`,
    ];
    await writeFile(userConfig, [...lines, 'audit=false', 'fund=false', ''].join('\n'));
    // What npm or pnpm told this program about their own configuration would win over the file.
    const inherited = Object.entries(process.env).filter(([name]) => !/^p?npm_/i.test(name));
    const config = {
      NPM_CONFIG_USERCONFIG: userConfig,
      npm_config_userconfig: userConfig,
      npm_config_registry: registry,
    };
    const options = { extendEnv: false, env: { ...Object.fromEntries(inherited), ...config } };

    await execa('pnpm', ['exec', 'changeset', 'publish', '--no-git-tag'], { cwd: root, ...options });
    console.log('published with changesets');

    const consumer = join(place, 'consumer');
    await mkdir(consumer);
    await writeFile(
      join(consumer, 'package.json'),
      JSON.stringify({ name: 'consumer', private: true, type: 'module' }),
    );
    const npm = (...args: string[]): Promise<unknown> => execa('npm', args, { cwd: consumer, ...options });

    await npm('install', '--omit=optional', '@sp/cli');
    const version = await execa(join(consumer, 'node_modules/.bin/systemprompt'), ['--version'], { cwd: consumer });
    console.log(`installed ${version.stdout}: ${await weigh(consumer)}`);

    await npm('install', ...libraries);
    const program = libraries.map(
      (name) => `if (Object.keys(await import('${name}')).length === 0) throw new Error('${name} is empty');`,
    );
    await execa(process.execPath, ['--input-type=module', '--eval', program.join('\n')], { cwd: consumer });
    console.log(`imported ${libraries.length} libraries`);

    await npm('install', '@sp/management-api');
    await execa(join(consumer, 'node_modules/.bin/sp-management-api'), ['--help'], { cwd: consumer });
    console.log('ran sp-management-api --help');
  } finally {
    stop.abort();
    await rm(place, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A verdaccio that keeps `@sp/*` itself and asks the configured registry for everything else. */
async function startRegistry(place: string, signal: AbortSignal): Promise<string> {
  const folder = join(place, 'registry');
  await mkdir(folder);
  const upstream = (await execa('npm', ['config', 'get', 'registry'])).stdout.trim();
  const manifest = {
    name: 'registry',
    private: true,
    dependencies: { verdaccio: '6.8.0' },
    // Some registries know only the tag `latest`, and one dependency asks for another.
    overrides: { 'node-fetch@cjs': '2.7.0' },
  };
  const config = [
    `storage: ${JSON.stringify(join(folder, 'storage'))}`,
    `uplinks: { upstream: { url: ${JSON.stringify(upstream)}, cache: false } }`,
    'packages:',
    "  '@sp/*': { access: $all, publish: $all }",
    "  '**': { access: $all, proxy: upstream }",
    'log: { type: stdout, format: json, level: error }',
  ];
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'config.yaml'), `${config.join('\n')}\n`);
  await execa('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder });

  const port = await freePort();
  const program = join(folder, 'node_modules/verdaccio/bin/verdaccio');
  const server = execa(
    process.execPath,
    [program, '--listen', `127.0.0.1:${port}`, '--config', join(folder, 'config.yaml')],
    {
      cancelSignal: signal,
      reject: false,
      stdin: 'ignore',
      all: true,
    },
  );
  const url = `http://127.0.0.1:${port}/`;
  for (;;) {
    if ((await fetch(`${url}-/ping`).catch(() => undefined))?.ok === true) return url;
    if (server.exitCode !== null && server.exitCode !== undefined)
      throw new Error(`The registry ended: ${(await server).all ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}

async function weigh(consumer: string): Promise<string> {
  const lock = JSON.parse(await readFile(join(consumer, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean; optional?: boolean }>;
  };
  const { stdout } = await execa('du', ['-sm', join(consumer, 'node_modules')]);
  const installed = Object.entries(lock.packages).filter(([path, { optional }]) => path !== '' && optional !== true);
  const scripts = installed.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path);
  if (scripts.length > 0) throw new Error(`Installing the CLI would run scripts of ${scripts.join(', ')}`);
  return `${installed.length} packages, ${stdout.split('\t')[0]} MB, no install scripts`;
}

await main();
