import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planImage } from '../src/index.ts';
import { fixtureProject, temporaryFolder, writeFiles } from './fixture-project.ts';

test('a plan holds what a tenant needs and no secret', async () => {
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production' });
  expect(plan.files.map(({ destination, mode, layer }) => `${mode.toString(8)} ${layer} ${destination}`)).toEqual([
    '755 bin /app/bin/notes-mcp',
    '755 bin /app/bin/systemprompt',
    '644 extensions /app/extensions/blog/manifest.yaml',
    '644 extensions /app/extensions/blog/posts/first.md',
    '644 extensions /app/extensions/mcp/debug/manifest.yaml',
    '644 extensions /app/extensions/mcp/notes/manifest.yaml',
    '644 services /app/services/config/config.yaml',
    '755 services /app/services/hooks/run.sh',
    '644 services /app/services/profiles/production/profile.yaml',
    '644 services /app/services/profiles/staging/profile.yaml',
    '644 services /app/services/web/templates/page.html',
    '644 storage /app/storage/files/css/site.css',
    '644 web /app/web/dist/index.html',
  ]);
  expect(plan).toMatchObject({
    base: 'debian:bookworm-slim',
    user: '1000:1000',
    workingDir: '/app',
    port: 8080,
    command: ['/app/bin/systemprompt', 'infra', 'services', 'serve', '--foreground'],
    env: {
      HOST: '0.0.0.0',
      PORT: '8080',
      PATH: '/app/bin:$PATH',
      SYSTEMPROMPT_PROFILE: '/app/services/profiles/production/profile.yaml',
      SYSTEMPROMPT_SERVICES_PATH: '/app/services',
    },
    packages: ['ca-certificates', 'curl', 'libssl3', 'libpq5', 'lsof'],
  });
});

test('packages are for Debian bases only, named as the release names them', async () => {
  const projectRoot = await fixtureProject();
  const packagesOf = async (base: string): Promise<readonly string[]> =>
    (await planImage({ projectRoot, profileName: 'production', base })).packages;
  expect(await packagesOf('debian:trixie-slim')).toContain('libssl3t64');
  expect(await packagesOf('docker.io/library/debian:12')).toContain('libssl3');
  expect(await packagesOf('scratch')).toEqual([]);
  expect(await packagesOf('oci:/srv/debian:12')).toEqual([]);
  expect(await packagesOf('registry.test/debian:12')).toEqual([]);
});

test('a base of several lines is refused: it would be instructions of a Dockerfile', async () => {
  const projectRoot = await fixtureProject();
  for (const base of ['debian\nRUN true', 'oci:/srv/base\r', 'debian\0']) {
    await expect(planImage({ projectRoot, profileName: 'production', base })).rejects.toMatchObject({
      code: 'SP_DEPLOY_BASE_UNSUPPORTED',
      message: `Cannot build on ${JSON.stringify(base)}: it is no one line`,
    });
  }
});

test('everything that is missing is named at once', async () => {
  const projectRoot = await fixtureProject();
  await rm(join(projectRoot, 'target/release'), { recursive: true });
  await rm(join(projectRoot, 'services'), { recursive: true });
  await writeFile(join(projectRoot, 'services'), 'a file');
  await expect(planImage({ projectRoot, profileName: 'other' })).rejects.toMatchObject({
    code: 'SP_DEPLOY_PROJECT_INCOMPLETE',
    findings: [
      { path: '.systemprompt/profiles/other/profile.yaml', problem: 'missing' },
      { path: 'target/release/systemprompt', problem: 'missing' },
      // Without a readable configuration nothing is known to be for development only.
      { path: 'target/release/debug-mcp', problem: 'missing' },
      { path: 'target/release/notes-mcp', problem: 'missing' },
      { path: 'services', problem: 'not a directory' },
    ],
  });
});

test('web and extensions may be absent', async () => {
  const projectRoot = await fixtureProject();
  for (const folder of ['web', 'extensions']) await rm(join(projectRoot, folder), { recursive: true });
  const plan = await planImage({ projectRoot, profileName: 'production' });
  expect(plan.copies.map(({ source }) => source)).toEqual([
    'target/release/systemprompt',
    'storage',
    'services',
    '.systemprompt/profiles',
  ]);
});

test('the folders that a tenant cannot do without are asked for by name', async () => {
  const projectRoot = await fixtureProject();
  await rm(join(projectRoot, 'storage/files'), { recursive: true });
  await rm(join(projectRoot, 'services/web'), { recursive: true });
  await expect(planImage({ projectRoot, profileName: 'production' })).rejects.toMatchObject({
    findings: [
      { path: 'storage/files', problem: 'missing' },
      { path: 'services/web/templates', problem: 'missing' },
    ],
  });
  await rm(join(projectRoot, 'storage'), { recursive: true });
  await expect(planImage({ projectRoot, profileName: 'production' })).rejects.toMatchObject({
    findings: [
      { path: 'services/web/templates', problem: 'missing' },
      { path: 'storage', problem: 'missing' },
    ],
  });
});

test('a profile name cannot leave the profiles folder', async () => {
  const projectRoot = await fixtureProject();
  await expect(planImage({ projectRoot, profileName: '../production' })).rejects.toMatchObject({
    code: 'SP_DEPLOY_PROJECT_INCOMPLETE',
  });
});

test("the profile's own ignore file adds lines and takes lines back, but never secrets", async () => {
  const projectRoot = await fixtureProject();
  await writeFiles(projectRoot, {
    '.systemprompt/profiles/production/docker/Dockerfile.dockerignore':
      '# own rules\nservices/drafts/*\n!services/drafts/keep.md\n**/*.tmp\n!**/secrets.json\n!services/.env\n',
    'services/drafts/gone.md': '',
    'services/drafts/keep.md': '',
    'services/deep/er/x.tmp': '',
    'services/docs/here.md': '',
  });
  const plan = await planImage({ projectRoot, profileName: 'production' });
  const services = plan.files.filter(({ source }) => source.startsWith('services/')).map(({ source }) => source);
  expect(services).toEqual([
    'services/config/config.yaml',
    'services/docs/here.md',
    'services/drafts/keep.md',
    'services/hooks/run.sh',
    'services/web/templates/page.html',
  ]);
  expect(plan.files.filter(({ source }) => source.includes('secret'))).toEqual([]);
});

test('symbolic links inside of the project are followed, others are refused', async () => {
  const projectRoot = await fixtureProject();
  const outside = await temporaryFolder();
  await writeFiles(outside, { id_rsa: 'private' });
  await mkdir(join(projectRoot, 'services/links'));
  await symlink('../config/config.yaml', join(projectRoot, 'services/links/good.yaml'));
  const plan = await planImage({ projectRoot, profileName: 'production' });
  expect(plan.files.map(({ source }) => source)).toContain('services/links/good.yaml');

  await symlink(join(outside, 'id_rsa'), join(projectRoot, 'services/links/a-key'));
  await symlink('../../.systemprompt/credentials.json', join(projectRoot, 'services/links/b-credentials'));
  await symlink('..', join(projectRoot, 'services/links/c-circle'));
  await symlink('nowhere', join(projectRoot, 'services/links/d-broken'));
  await expect(planImage({ projectRoot, profileName: 'production' })).rejects.toMatchObject({
    findings: [
      { path: 'services/links/a-key', problem: 'symbolic link that leaves the project' },
      { path: 'services/links/b-credentials', problem: 'symbolic link to an excluded file' },
      { path: 'services/links/c-circle', problem: 'symbolic link to a folder above it' },
      { path: 'services/links/d-broken', problem: 'broken symbolic link' },
    ],
  });
});

test('a plan can be given up', async () => {
  const projectRoot = await fixtureProject();
  const signal = AbortSignal.abort();
  await expect(planImage({ projectRoot, profileName: 'production', signal })).rejects.toMatchObject({
    code: 'SP_DEPLOY_ABORTED',
  });
});

test('a manifest or a configuration that cannot be read is named with its line, not left out', async () => {
  const projectRoot = await fixtureProject();
  await writeFiles(projectRoot, {
    'extensions/mcp/broken/manifest.yaml': 'extension:\n  type: mcp\n  binary: [a\n',
    'extensions/mcp/odd/manifest.yaml': 'extension:\n  type: mcp\n  binary: ../../etc/passwd\n',
    'extensions/mcp/chart/manifest.yaml': 'apiVersion: v1\nkind: Pod\n',
    'services/config/config.yaml': 'mcp_servers:\n\tdebug: {}\n',
    // Its secrets could be anywhere.
    '.systemprompt/profiles/staging/profile.yaml': 'secrets: {secrets_path: ./keys.json',
  });
  const error = await planImage({ projectRoot, profileName: 'production' }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'SP_DEPLOY_PROJECT_INCOMPLETE',
    findings: expect.arrayContaining([
      { path: 'extensions/mcp/broken/manifest.yaml', problem: 'not YAML', line: expect.any(Number) as number },
      { path: 'extensions/mcp/odd/manifest.yaml', problem: '`extension.binary` is malformed' },
      { path: 'services/config/config.yaml', problem: 'not YAML', line: 2 },
      { path: '.systemprompt/profiles/staging/profile.yaml', problem: 'not YAML', line: 1 },
    ]) as object[],
  });
  expect((error as { findings: object[] }).findings).toHaveLength(4);
});
