import { execFile } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'tsup';
import { expect, test } from 'vitest';
import { noise, temporaryFolder } from './setup.ts';

const run = promisify(execFile);
const package_ = fileURLToPath(new URL('..', import.meta.url));

const program = `
import { buildLayer, buildImage, createBlobStore, createDiskRegistryStorage, createRegistryClient, createRegistryHandler } from './index.js';
const [folder, source] = process.argv.slice(2);
const blobs = createBlobStore(folder + '/blobs');
const layers = [];
for (const compression of ['gzip', 'none']) {
  layers.push(await buildLayer([{ type: 'file', path: 'app/large', source }], { blobs, compression }));
}
const image = await buildImage({ layers, config: { architecture: 'amd64', os: 'linux' }, blobs });
const storage = createDiskRegistryStorage(folder + '/registry');
const handler = createRegistryHandler({ storage, authorize: async () => ({ allow: true }) });
const client = createRegistryClient({ registry: 'registry.test', fetch: (input, init) => handler(new Request(input, init)) });
const pushed = await client.pushImage(image, { repository: 'app', reference: 'v1', blobs: [blobs] });
console.log(JSON.stringify({ pushed, megabytes: process.resourceUsage().maxRSS / 1024 }));
`;

test('a file of 1 GB is packed and pushed in at most 150 MB of memory', async () => {
  await using folder = await temporaryFolder();
  await build({
    config: false,
    entry: [join(package_, 'src', 'index.ts')],
    outDir: folder.path,
    outExtension: () => ({ js: '.js' }),
    format: 'esm',
    target: 'node20.19',
    silent: true,
  });
  await writeFile(join(folder.path, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder.path, 'program.js'), program);
  const source = join(folder.path, 'large');
  // Some content, and a hole that reads as zeros.
  await writeFile(source, noise(20_000_000, 1));
  await truncate(source, 1_000_000_000);
  const { stdout } = await run(process.execPath, [join(folder.path, 'program.js'), folder.path, source], {
    env: { PATH: process.env['PATH'] },
  });
  const { pushed, megabytes } = JSON.parse(stdout) as { pushed: { uploadedBlobs: number }; megabytes: number };
  expect(pushed.uploadedBlobs).toBe(3);
  expect(megabytes).toBeLessThan(150);
});
