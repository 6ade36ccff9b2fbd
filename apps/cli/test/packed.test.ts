import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeCommands } from '../src/reference/describe-commands.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { makeProfile } from './support/world.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

test('the packed program, unpacked somewhere else, works in a clean project', async () => {
  const place = await temporaryFolder();
  // What is shipped, by the list of package.json; packing itself would run scripts.
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    maxBuffer: 1e8,
  });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const shipped = new Set(files.map(({ path }) => path));
  const list = join(place, 'list');
  await writeFile(list, [...shipped].join('\n'));
  const home = join(place, 'package');
  await mkdir(home);
  await run('sh', ['-c', 'tar -C "$1" -cf - -T "$2" | tar -C "$3" -xf -', 'sh', root, list, home]);
  const cwd = join(place, 'shop');
  await mkdir(cwd);
  const systemprompt = (...args: string[]): { status: number | null; stdout: string } =>
    spawnSync(process.execPath, [join(home, 'bin/run.cjs'), ...args], {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: place },
      encoding: 'utf8',
    });
  expect(systemprompt('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^@sp\/cli\/\d/) });
  expect(systemprompt('cloud', 'deploy', '--help').stdout).toContain('Build, push and run');
  expect(systemprompt('cloud', 'init', '--json').status).toBe(0);
  expect(systemprompt('cloud', 'tenant', 'list', '--cached', '--json').status).toBe(0);
  // One of the large libraries that are bundles of their own.
  await makeProfile(cwd, 'hello');
  expect(JSON.parse(systemprompt('cloud', 'profile', 'list', '--json').stdout)).toMatchObject({ total: 1 });
  for (const { schema } of await describeCommands(root)) expect(shipped, schema).toContain(schema);
  expect(shipped).toContain('schemas/error.json');
  expect(await readdir(join(home, 'dist/parts'))).toContain('yaml.cjs');
});

test('nothing of the package runs a script when it is installed', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: object };
  expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
});
