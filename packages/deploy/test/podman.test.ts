import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { createDockerBuilder, imageName, resolveBuilder } from '../src/index.ts';
import { temporaryFolder } from './fixture-project.ts';
import { testRegistry } from './registry-server.ts';
import { expectSameImage } from './same-image.ts';

/** A real podman with a storage of its own; skips the test without one, and fails where `SP_REQUIRE` names it. */
async function needsPodman(context: TestContext) {
  const folder = await temporaryFolder();
  const [storage, containers] = [join(folder, 'storage.conf'), join(folder, 'containers.conf')];
  const roots = `graphroot = "${folder}/graph"\nrunroot = "${folder}/run"\n`;
  await writeFile(storage, `[storage]\ndriver = "vfs"\n${roots}`);
  await writeFile(containers, '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n');
  const env = { CONTAINERS_STORAGE_CONF: storage, CONTAINERS_CONF: containers };
  try {
    execFileSync('podman', ['info'], { stdio: 'ignore', timeout: 60_000, env: { ...process.env, ...env } });
  } catch {
    if ((process.env['SP_REQUIRE'] ?? '').split(',').includes('podman')) throw new Error('podman is required here');
    context.skip('needs podman');
  }
  return { binary: 'podman', env };
}

test('a real podman is found, builds, logs in and pushes, and its image is the same', {
  timeout: 180_000,
}, async (context) => {
  const docker = await needsPodman(context);
  const cacheDirectory = await temporaryFolder();
  expect((await resolveBuilder({ choice: 'docker', base: 'scratch', cacheDirectory, docker })).kind).toBe('docker');
  const { target } = await testRegistry();
  const wrong = { ...target, token: 'a-wrong-token' };
  const image = { kind: 'docker' as const, name: imageName(target) };
  await expect(createDockerBuilder(docker).push(image, wrong)).rejects.toMatchObject({
    code: 'SP_DEPLOY_DOCKER_FAILED',
    command: 'login',
  });
  await expectSameImage(docker);
});
