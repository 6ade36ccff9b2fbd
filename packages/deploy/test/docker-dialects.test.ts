import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDockerBuilder, imageName, planImage, resolveBuilder } from '../src/index.ts';
import { fakeDocker } from './fake-docker.ts';
import { fixtureProject, temporaryFolder, writeFiles } from './fixture-project.ts';

const dockerfile = '.systemprompt/profiles/production/docker/Dockerfile';
const target = {
  registry: '127.0.0.1:5000',
  username: 'tenant',
  token: 'docker-token-value',
  repository: 'systemprompt-images',
  tag: 'tenant-1',
};
const name = imageName(target);
const digest = `sha256:${'a'.repeat(64)}`;

async function editedProject(text: string): Promise<string> {
  const projectRoot = await fixtureProject();
  await writeFiles(projectRoot, { [dockerfile]: text, 'scripts/start.sh': '#!/bin/sh\n' });
  return projectRoot;
}

test('an edited Dockerfile sees the project, and none of its secrets', async () => {
  const { env, calls } = await fakeDocker();
  const projectRoot = await editedProject('FROM scratch\nCOPY . /app\n');
  await symlink('../services/.env', join(projectRoot, 'scripts/link'));
  const plan = await planImage({ projectRoot, profileName: 'production', base: 'scratch' });
  await createDockerBuilder({ env }).build(plan, { name });
  const [call] = await calls();
  const files = call?.files.map((line) => line.slice(line.indexOf(' ') + 1)).toSorted();
  expect(files).toEqual(
    expect.arrayContaining(['scripts/start.sh', 'target/release/systemprompt', 'web/dist/index.html']),
  );
  for (const out of ['services/.env', '.systemprompt/credentials.json', 'target/release/build/object.o', dockerfile]) {
    expect(files).not.toContain(out);
  }
  expect(files?.filter((path) => path.includes('secrets') || path.includes('keys/'))).toEqual([]);
});

test.each([
  ['the classic builder', 'Step 2/9 : COPY a b', { done: 1, total: 9 }],
  ['BuildKit', '#7 [2/9] COPY a b', { done: 1, total: 9 }],
  ['BuildKit with a named stage', '#12 [runtime 3/4] RUN x', { done: 2, total: 4 }],
  ['podman', 'STEP 2/9: COPY a b', { done: 1, total: 9 }],
  ['anything else', '#7 CACHED', {}],
])('progress is read from %s', async (_, line, expected) => {
  const { env } = await fakeDocker(`if (command === 'build') console.log(${JSON.stringify(line)});`);
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production' });
  const seen: object[] = [];
  await createDockerBuilder({ env }).build(plan, { name, onProgress: (progress) => seen.push(progress) });
  expect(seen).toEqual([{ message: line, ...expected }]);
});

test.each([
  ['podman', ['build', '--format', 'docker'], [], ['--tls-verify=false'], ['--digestfile']],
  ['nerdctl', ['build'], ['--insecure-registry'], [], []],
])('%s is spoken to in its own words', async (binary, build, global, registry, file) => {
  const writesDigest = `const at = args.indexOf('--digestfile');
if (at !== -1) fs.writeFileSync(args[at + 1], '${digest}');
if (args.includes('push') && at === -1) console.log('digest: ${digest} size: 9');`;
  const { env, calls } = await fakeDocker(writesDigest, binary);
  const builder = createDockerBuilder({ binary, env });
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production' });
  await builder.build(plan, { name });
  expect(await builder.push({ kind: 'docker', name }, target)).toEqual({ digest });
  const made = await calls();
  expect(made[0]?.args.slice(0, build.length)).toEqual(build);
  expect(made.find(({ args }) => args.includes('login'))?.args).toEqual([
    ...global,
    'login',
    ...registry,
    target.registry,
    '-u',
    'tenant',
    '--password-stdin',
  ]);
  const push = made.find(({ args }) => args.includes('push'));
  expect(push?.args.slice(0, global.length + 1 + registry.length)).toEqual([...global, 'push', ...registry]);
  expect(push?.args.filter((argument) => argument === '--digestfile')).toEqual(file);
  expect(push?.args.at(-1)).toBe(name);
  const cacheDirectory = await temporaryFolder();
  expect(
    (await resolveBuilder({ choice: 'docker', base: 'scratch', cacheDirectory, docker: { binary, env } })).kind,
  ).toBe('docker');
});

test.each([
  ['classic', 'error during connect: Post "http://docker/build": EOF'],
  ['BuildKit', 'ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF'],
])('an engine that goes away during a build is named (%s)', async (_, line) => {
  const { env } = await fakeDocker(
    `if (command === 'build') { console.log('Step 1/2'); console.error(${JSON.stringify(line)}); process.exitCode = 1; }`,
  );
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production' });
  await expect(createDockerBuilder({ env }).build(plan, { name })).rejects.toMatchObject({
    code: 'SP_DEPLOY_DOCKER_UNAVAILABLE',
    command: 'build',
    exitCode: 1,
    lastLines: ['Step 1/2', line],
  });
});

test('the line that says why is found among BuildKit’s other lines', async () => {
  const lines = ['#5 ERROR: x', 'ERROR: failed to solve: no such file', '', 'View build details: somewhere'];
  const { env } = await fakeDocker(
    `if (command === 'build') { for (const line of ${JSON.stringify(lines)}) console.error(line); process.exitCode = 1; }`,
  );
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production' });
  await expect(createDockerBuilder({ env }).build(plan, { name })).rejects.toMatchObject({
    code: 'SP_DEPLOY_DOCKER_FAILED',
    message: 'docker build failed: ERROR: failed to solve: no such file',
  });
});
