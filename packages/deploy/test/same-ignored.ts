import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { planImage, renderDockerignore } from '../src/index.ts';
import { fixtureProject, writeFiles } from './fixture-project.ts';

const image = 'systemprompt-test/ignore-rules';

/** The files below `services` that docker puts into an image of the project. */
async function copiedByDocker(
  projectRoot: string,
  rules: string,
  docker: { readonly binary: string; readonly buildKit: string },
): Promise<readonly string[]> {
  await writeFiles(projectRoot, {
    '.dockerignore': `${renderDockerignore()}\n${rules}`,
    Dockerfile: 'FROM scratch\nCOPY services /services\n',
  });
  const run = (args: readonly string[]): string =>
    execFileSync(docker.binary, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DOCKER_BUILDKIT: docker.buildKit },
    }).trim();
  onTestFinished(() => void execFileSync('docker', ['rmi', '--force', image], { stdio: 'ignore' }));
  run(['build', '--quiet', '-t', image, projectRoot]);
  const container = run(['create', image, '/nothing']);
  try {
    const list = execFileSync('sh', ['-c', `docker export ${container} | tar -t --quoting-style=literal`], {
      encoding: 'utf8',
    });
    return list
      .split('\n')
      .filter((path) => path.startsWith('services/') && !path.endsWith('/'))
      .toSorted();
  } finally {
    run(['rm', '--force', container]);
  }
}

async function copiedByPlan(projectRoot: string, rules: string): Promise<readonly string[]> {
  await writeFiles(projectRoot, { '.systemprompt/profiles/production/docker/Dockerfile.dockerignore': rules });
  const plan = await planImage({ projectRoot, profileName: 'production', base: 'scratch' });
  return plan.files
    .map(({ source }) => source)
    .filter((source) => source.startsWith('services/'))
    .toSorted();
}

const classic = { binary: 'docker', buildKit: '0' };

/** Whether docker leaves out of `services` exactly what the plan leaves out; the files that both copy. */
export async function expectSameIgnored(
  files: readonly string[],
  rules: readonly string[],
  docker = classic,
): Promise<readonly string[]> {
  const projectRoot = await fixtureProject();
  await writeFiles(projectRoot, Object.fromEntries(files.map((path) => [join('services', path), 'x'])));
  const text = rules.join('\n');
  const copied = await copiedByPlan(projectRoot, text);
  expect(copied).toEqual(await copiedByDocker(projectRoot, text, docker));
  return copied;
}
