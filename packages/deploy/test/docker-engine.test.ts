import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { createDiskRegistryStorage, createRegistryHandler } from '@sp/oci';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createDockerBuilder, createOciBuilder, imageName, planImage, resolveBuilder } from '../src/index.ts';
import { cuttableEngine } from './cuttable-engine.ts';
import { fixtureProject, plantedSecret, temporaryFolder, writeFiles } from './fixture-project.ts';
import { hostPrograms } from './host-programs.ts';
import { needsBuildKit, needsDocker } from './needs-docker.ts';
import { serve } from './registry-server.ts';
import { expectSameIgnored } from './same-ignored.ts';
import { expectSameImage, hostPlatform, publicBase } from './same-image.ts';

// All that needs a real engine is in this file: builds beside each other that share their cache, and take images away,
// make docker's classic builder fail.

const name = 'systemprompt-test/docker-engine:test';
const dockerfile = '.systemprompt/profiles/production/docker/Dockerfile';

async function editedProject(text: string): Promise<string> {
  const projectRoot = await fixtureProject();
  await writeFiles(projectRoot, { [dockerfile]: text });
  return projectRoot;
}

test('docker and the in-process builder make the same image of a plan', async (context) => {
  needsDocker(context);
  await expectSameImage({});
  await expectSameImage({}, await publicBase());
});

test('so do BuildKit and the in-process builder', async (context) => {
  const docker = { binary: needsBuildKit(context), env: { DOCKER_BUILDKIT: '1' } };
  await expectSameImage(docker);
  await expectSameImage(docker, await publicBase());
});

test('a container of an image that was built in process becomes healthy, and the engine shows how', {
  timeout: 180_000,
}, async (context) => {
  needsDocker(context);
  const base = await publicBase(await hostPrograms(['/bin/sh', '/usr/bin/curl', '/usr/bin/perl']));
  const projectRoot = await fixtureProject();
  const answer = 'HTTP/1.0 $status\\r\\nContent-Length: 2\\r\\n\\r\\nok';
  await writeFiles(projectRoot, {
    'target/release/systemprompt': `#!/usr/bin/perl
      socket(S, 2, 1, 0) && bind(S, pack('SnNx8', 2, 8080, 0)) && listen(S, 5) or die;
      while (accept(C, S)) {
        sysread(C, $request, 4096);
        $status = $request =~ m{^GET /api/v1/health } ? '200 OK' : '404 Not Found';
        syswrite(C, "${answer}");
        close(C);
      }`,
  });
  const plan = await planImage({ projectRoot, profileName: 'production', base, platform: hostPlatform });
  const storage = createDiskRegistryStorage(await temporaryFolder());
  const registry = await serve(createRegistryHandler({ storage, authorize: () => Promise.resolve({ allow: true }) }));
  const target = { registry, username: 'tenant', token: 'any', repository: 'images', tag: 'tenant-1' };
  const image = imageName(target);
  const builder = createOciBuilder({ cacheDirectory: await temporaryFolder() });
  // Not every 30 seconds: an engine waits as long before the first check.
  const quick = { ...plan, healthCheck: { ...plan.healthCheck, intervalSeconds: 1 } };
  await builder.push(await builder.build(quick, { name: image }), target);
  const docker = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('docker', args)).stdout.trim();
  const container = await docker('run', '--detach', '--pull', 'always', '--network', 'none', image);
  onTestFinished(() => {
    execFileSync('docker', ['rm', '--force', container], { stdio: 'ignore' });
    execFileSync('docker', ['rmi', '--force', image], { stdio: 'ignore' });
  });
  await expect
    .poll(() => docker('inspect', '--format', '{{.State.Health.Status}}', container), {
      timeout: 60_000,
      interval: 250,
    })
    .toBe('healthy');
  const shown = JSON.parse(await docker('inspect', '--format', '{{json .Config.Healthcheck}}', container)) as object;
  expect(shown).toEqual({
    Test: ['CMD-SHELL', plan.healthCheck.command],
    Interval: 1_000_000_000,
    Timeout: 10_000_000_000,
    StartPeriod: 10_000_000_000,
    Retries: 3,
  });
});

test('docker builds an edited Dockerfile', async (context) => {
  needsDocker(context);
  const projectRoot = await editedProject(
    'FROM scratch AS files\nCOPY . /app\nFROM scratch\nCOPY --from=files /app /app\nLABEL edited=yes\n',
  );
  const plan = await planImage({ projectRoot, profileName: 'production', base: 'scratch' });
  const cacheDirectory = await temporaryFolder();
  const { base, dockerfile: own } = plan;
  const builder = await resolveBuilder({ choice: 'auto', base, dockerfile: own?.path, cacheDirectory });
  onTestFinished(() => void execFileSync('docker', ['rmi', '--force', name], { stdio: 'ignore' }));
  await builder.build(plan, { name });
  expect(execFileSync('docker', ['inspect', '--format', '{{.Config.Labels.edited}}', name], { encoding: 'utf8' })).toBe(
    'yes\n',
  );
  const saved = execFileSync('sh', ['-c', `docker save ${name} | tar -xO`], { maxBuffer: 1 << 28 });
  expect(saved.includes('<h1>hello</h1>')).toBe(true);
  expect(saved.includes(plantedSecret)).toBe(false);
});

test('an engine that stops in the middle of a build, and the next build works', {
  timeout: 180_000,
}, async (context) => {
  needsDocker(context);
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production', base: 'scratch' });
  const engine = await cuttableEngine();
  onTestFinished(() => void execFileSync('docker', ['rmi', '--force', name], { stdio: 'ignore' }));
  const building = createDockerBuilder({ env: { DOCKER_HOST: engine.host, DOCKER_BUILDKIT: '0' } }).build(plan, {
    name,
    onProgress: ({ total }) => {
      if (total !== undefined) engine.cut();
    },
  });
  await expect(building).rejects.toMatchObject({ code: 'SP_DEPLOY_DOCKER_UNAVAILABLE', command: 'build' });
  expect(await createDockerBuilder().build(plan, { name })).toEqual({ kind: 'docker', name });
});

test('rules mean what they mean to docker', async (context) => {
  needsDocker(context);
  const names = [
    'a',
    'b.md',
    'xfoo',
    'foo',
    'foo.tmp',
    'a+b',
    'a(b)',
    'a b',
    '#hash',
    '!bang',
    '[x]',
    'ä',
    '{c}',
    'a$b',
  ];
  const folders = ['', 'd/', 'd/e/', 'drafts/', 'build/', 'build/keep/', 'up/', 'foo.d/', 'dot.dir/'];
  const files = folders.flatMap((folder) => names.map((name) => folder + name));
  const rules = [
    '# a comment',
    '  # no comment',
    '\uFEFFnothing',
    '**/foo.tmp',
    '**foo',
    'services/d/**',
    '!services/d/e/b.md',
    '  services/drafts/*  ',
    '! services/drafts/a',
    '/services/build/',
    '!services/build/keep',
    'services/build/keep/a*',
    './services/up/../up/b.*',
    'services/dot.dir',
    '!services/dot.dir/[a-x]',
    'services/up/a?b',
    'services/up/\\[x\\]',
    'services/up/a$b',
    'services/foo.d/a+b',
    'services/foo.d/{c}',
    'services/foo.d/[^a-z]hash',
    'services/foo.d/\\!bang',
    '',
    '.',
  ];
  const copied = await expectSameIgnored(files, rules);
  // The rules do something, and not everything.
  expect(copied).toContain('services/build/keep/b.md');
  expect(copied).not.toContain('services/build/keep/a');
  expect(copied).not.toContain('services/d/a');
  expect(copied).toContain('services/d/e/b.md');
});

test('rules mean what they mean to BuildKit', async (context) => {
  const docker = { binary: needsBuildKit(context), buildKit: '1' };
  const files = ['a', 'b.md', 'd/a', 'd/b.md', 'd/e/keep.md', 'd/e/a', 'drafts/a', 'drafts/b/keep.md', 'tmp/x.tmp'];
  const rules = ['services/d', '!services/d/e', 'services/d/e/a', 'services/**/b', '**/*.tmp', 'services/drafts/*'];
  const copied = await expectSameIgnored(files, rules, docker);
  expect(copied).toContain('services/d/e/keep.md');
});

test('any rules mean what they mean to docker', { timeout: 240_000 }, async (context) => {
  needsDocker(context);
  const segment = fc.constantFrom('a', 'b', 'ab', 'a.b', 'c');
  const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const part = fc.constantFrom(
    'a',
    'b',
    'a*',
    '*',
    '**',
    '?',
    '?b',
    '[ab]',
    '[^a]',
    'a.b',
    '*.b',
    '**b',
    'a**',
    '.',
    '..',
  );
  const rule = fc
    .record({ negated: fc.boolean(), parts: fc.array(part, { minLength: 1, maxLength: 3 }), slash: fc.boolean() })
    // Docker's own builders do not agree on `!` lines that have a pattern before their end.
    .filter(({ negated, parts }) => !negated || /^[a-c./]*(?:\/\*\*?)?$/.test(parts.join('/')))
    .map(({ negated, parts, slash }) => ({ negated, pattern: parts.join('/') + (slash ? '/' : '') }));
  const one = fc.record({
    files: fc.uniqueArray(path, { minLength: 3, maxLength: 12 }),
    rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
  });
  const [cases = []] = fc.sample(fc.array(one, { minLength: 150, maxLength: 150 }), { numRuns: 1, seed: 7 });
  // Each in a folder of its own, so that one build tries them all.
  const files = cases.flatMap(({ files }, index) =>
    files
      // A file cannot be a folder too.
      .filter((name) => !files.some((other) => other.startsWith(`${name}/`)))
      .map((name) => `case${index}/in/side/er/${name}`),
  );
  const rules = cases.flatMap(({ rules }, index) =>
    rules.map(({ negated, pattern }) => `${negated ? '!' : ''}services/case${index}/in/side/er/${pattern}`),
  );
  await expectSameIgnored(files, rules);
});
