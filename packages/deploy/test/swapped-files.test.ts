import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDockerBuilder, createOciBuilder, type ImageBuilder, planImage } from '../src/index.ts';
import { fakeDocker } from './fake-docker.ts';
import { fixtureProject, plantedSecret, temporaryFolder, writeFiles } from './fixture-project.ts';

const name = 'registry.test/images:tenant-1';

/** Ways in which somebody brings a file from outside of the project to the place of a planned one. */
const swaps: readonly (readonly [string, (root: string, outside: string) => Promise<void>])[] = [
  [
    'a file by a link',
    async (root, outside) => {
      await rm(join(root, 'web/dist/index.html'));
      await symlink(join(outside, 'index.html'), join(root, 'web/dist/index.html'));
    },
  ],
  [
    'its folder by a link',
    async (root, outside) => {
      await rename(join(root, 'web/dist'), join(root, 'web/dist-before'));
      await symlink(outside, join(root, 'web/dist'));
    },
  ],
  ['a file by another one', (root, outside) => rename(join(outside, 'index.html'), join(root, 'web/dist/index.html'))],
];

const builders: readonly (readonly [string, () => Promise<ImageBuilder>])[] = [
  ['in process', async () => createOciBuilder({ cacheDirectory: await temporaryFolder() })],
  ['docker', async () => createDockerBuilder({ env: (await fakeDocker()).env })],
];

for (const [how, createBuilder] of builders) {
  test.each(swaps)(
    `${how}: %s that took its place after the plan is refused, and the next plan is built`,
    async (_, swap) => {
      const projectRoot = await fixtureProject();
      const outside = await temporaryFolder();
      await writeFiles(outside, { 'index.html': plantedSecret });
      const builder = await createBuilder();
      const plan = await planImage({ projectRoot, profileName: 'production', base: 'scratch' });
      await builder.build(plan, { name });
      await swap(projectRoot, outside);
      await expect(builder.build(plan, { name })).rejects.toMatchObject({
        code: 'SP_DEPLOY_PROJECT_CHANGED',
        message: expect.stringContaining('index.html') as string,
      });
      await rm(join(projectRoot, 'web'), { recursive: true });
      await mkdir(join(projectRoot, 'web/dist'), { recursive: true });
      await writeFile(join(projectRoot, 'web/dist/index.html'), 'new');
      const next = await planImage({ projectRoot, profileName: 'production', base: 'scratch' });
      await builder.build(next, { name });
    },
  );
}

test('a file that is written to keeps its place, and a link that the plan has seen is followed', async () => {
  const projectRoot = await fixtureProject();
  await symlink('index.html', join(projectRoot, 'web/dist/start.html'));
  const plan = await planImage({ projectRoot, profileName: 'production', base: 'scratch' });
  await writeFile(join(projectRoot, 'web/dist/index.html'), '<h1>written</h1>');
  for (const [, createBuilder] of builders) await (await createBuilder()).build(plan, { name });
});

test('a folder that became a link to elsewhere is not staged for an edited Dockerfile', async () => {
  const projectRoot = await fixtureProject();
  const outside = await temporaryFolder();
  await writeFiles(outside, { 'index.html': plantedSecret });
  await writeFiles(projectRoot, {
    '.systemprompt/profiles/production/docker/Dockerfile': 'FROM scratch\nCOPY . /app\n',
  });
  const { env, calls } = await fakeDocker();
  const plan = await planImage({ projectRoot, profileName: 'production', base: 'scratch' });
  await rename(join(projectRoot, 'web/dist'), join(projectRoot, 'web/dist-before'));
  await symlink(outside, join(projectRoot, 'web/dist'));
  await createDockerBuilder({ env }).build(plan, { name });
  const { files = [] } = (await calls()).find(({ args }) => args[0] === 'build') ?? {};
  // As docker has it: the link itself, which leads nowhere in the engine.
  expect(files.filter((file) => file.includes('web/dist/'))).toEqual([]);
  expect(files.some((file) => file.endsWith(' web/dist'))).toBe(true);
});
