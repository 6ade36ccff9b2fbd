import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { buildImage, buildLayer, createBlobStore, saveOciLayout } from '@sp/oci';
import { expect, test, vi } from 'vitest';
import * as exported from '../src/index.ts';
import { type FakeCloud, fakeCloud, fakeRelease } from './fake-cloud.ts';
import { fixtureProject, temporaryFolder } from './fixture-project.ts';

/** A base as the README has one in `/srv/base`. */
async function baseLayout(): Promise<string> {
  const layout = await temporaryFolder();
  const blobs = createBlobStore(layout);
  const layer = await buildLayer([{ type: 'bytes', path: 'etc/base', content: Buffer.from('base') }], { blobs });
  const config = { architecture: 'amd64', os: 'linux' };
  await saveOciLayout(layout, await buildImage({ layers: [layer], config, blobs }), { blobs });
  return layout;
}

/** A server that makes a healthy release of whatever it is asked for. */
async function cloudWithReleases(): Promise<FakeCloud> {
  const cloud = await fakeCloud();
  cloud.releases = [];
  cloud.diff = { added: ['LOG_LEVEL'], changed: [], removed: [], remote_only: [], version: 1 };
  cloud.statuses = [{ status: 'running', app_url: 'https://site.test' }];
  cloud.onDeploy = ({ digest }) => {
    const number = (cloud.releases?.length ?? 0) + 1;
    for (const earlier of cloud.releases ?? []) earlier.status = 'superseded';
    const made = fakeRelease(number, { status: 'running', ...(typeof digest === 'string' ? { digest } : {}) });
    cloud.releases?.unshift(made);
    return Response.json({ data: { status: 'deploying', release_id: made.id, digest: made.digest } });
  };
  return cloud;
}

test('the examples of the README deploy, look first, come back, go back and print what they say', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const examples = Array.from(readme.matchAll(/^```ts\n(.*?)^```$/gms), ([, code = '']) => code);
  const cloud = await cloudWithReleases();
  const projectRoot = await fixtureProject();
  const cacheDirectory = await temporaryFolder();
  const source = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
  let program = examples.join('\n');
  for (const [theirs, ours] of [
    ["'@sp/deploy'", source('../src/index.ts')],
    ["'@sp/cloud-api'", source('../../cloud-api/src/index.ts')],
    ["environment: 'sandbox'", `environment: ${JSON.stringify(cloud.origin)}`],
    ["'/home/ada/site'", JSON.stringify(projectRoot)],
    ["'oci:/srv/base'", JSON.stringify(`oci:${await baseLayout()}`)],
    ["'/home/ada/.cache/sp'", JSON.stringify(cacheDirectory)],
  ] as const) {
    expect(program).toContain(theirs);
    program = program.replaceAll(theirs, ours);
  }
  const { deploy: _, ...others } = exported;
  vi.stubGlobal('readersNames', {
    ...others,
    token: 'api-token-value',
    projectRoot,
    cacheDirectory,
    target: cloud.target,
  });
  const names = [...Object.keys(others), 'token', 'projectRoot', 'cacheDirectory', 'target'];
  const file = join(await temporaryFolder(), 'program.ts');
  await writeFile(file, `const { ${names.join(', ')} } = globalThis.readersNames;\n${program}`);
  const printed: string[] = [];
  const log = vi
    .spyOn(console, 'log')
    .mockImplementation((...values: unknown[]) => void printed.push(format(...values)));
  try {
    await import(/* @vite-ignore */ pathToFileURL(file).href);
  } finally {
    log.mockRestore();
    vi.unstubAllGlobals();
  }

  const steps = ['preflight', 'plan', 'build', 'push', 'secrets', 'deploy', 'health'];
  expect(printed.slice(0, 7).map((line) => line.split(' ')[0])).toEqual(steps);
  expect(printed[7]).toMatch(/^https:\/\/site\.test sha256:[0-9a-f]{64}$/);
  // What is deployed already needs no upload.
  expect(printed[8]).toBe("0 [ 'LOG_LEVEL' ] 2");
  const types = printed.filter((line) => /^(?:step|deploy)-/.test(line));
  expect(types.filter((type) => type === 'deploy-completed')).toHaveLength(3);
  expect(types.filter((type) => type === 'step-started')).toHaveLength(7 + 1 + 2);
  expect(cloud.bodies['/rollback']).toEqual({});
  expect(cloud.releases?.map(({ number, status }) => [number, status])).toEqual([
    [3, 'running'],
    [2, 'superseded'],
    [1, 'superseded'],
  ]);
  const [files = '', dockerfile = '', add] = printed.slice(-3);
  expect(files).toMatch(/^\[\n {2}'\/app\/bin\/notes-mcp',\n {2}'\/app\/bin\/systemprompt',/);
  expect(dockerfile).toMatch(/^FROM scratch\n/);
  expect(add).toBe('COPY target/release/notes /app/bin/');
});
