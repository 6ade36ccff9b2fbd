import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { planImage, renderDockerignore } from '../src/index.ts';
import { fixtureProject, writeFiles } from './fixture-project.ts';
import { needsDocker } from './needs-docker.ts';

const image = 'systemprompt-test/ignore-rules';

/** The files below `services` that docker puts into an image of the project. */
async function copiedByDocker(projectRoot: string, rules: string): Promise<readonly string[]> {
  await writeFiles(projectRoot, {
    '.dockerignore': `${renderDockerignore()}\n${rules}`,
    Dockerfile: 'FROM scratch\nCOPY services /services\n',
  });
  const run = (args: readonly string[]): string =>
    execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
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

async function expectAgreement(files: readonly string[], rules: readonly string[]): Promise<readonly string[]> {
  const projectRoot = await fixtureProject();
  await writeFiles(projectRoot, Object.fromEntries(files.map((path) => [join('services', path), 'x'])));
  const text = rules.join('\n');
  const copied = await copiedByPlan(projectRoot, text);
  expect(copied).toEqual(await copiedByDocker(projectRoot, text));
  return copied;
}

test('rules mean what they mean to docker', { timeout: 120_000 }, async (context) => {
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
  const copied = await expectAgreement(files, rules);
  // The rules do something, and not everything.
  expect(copied).toContain('services/build/keep/b.md');
  expect(copied).not.toContain('services/build/keep/a');
  expect(copied).not.toContain('services/d/a');
  expect(copied).toContain('services/d/e/b.md');
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
  await expectAgreement(files, rules);
});
