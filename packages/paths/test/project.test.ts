import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix, win32 } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  createDiscoveredProject,
  createProjectContext,
  discoverProjectContext,
  findProject,
  isDirectoryPath,
  isDockerFile,
  isPathsError,
  PathsError,
  type ProfilePath,
  type ProjectPath,
  profilePaths,
  resolveProfilePath,
  resolveProjectPath,
} from '../src/index.ts';
import { diskOf } from './fake-disk.ts';

const projectTable: Readonly<Record<ProjectPath, string>> = {
  root: '/site/.systemprompt',
  'profiles-dir': '/site/.systemprompt/profiles',
  'docker-dir': '/site/.systemprompt/docker',
  'storage-dir': '/site/storage',
  'sessions-dir': '/site/.systemprompt/sessions',
  dockerfile: '/site/.systemprompt/Dockerfile',
  'local-credentials': '/site/.systemprompt/credentials.json',
  'local-tenants': '/site/.systemprompt/tenants.json',
  'local-session': '/site/.systemprompt/session.json',
};

test.each(Object.entries(projectTable))('%s of a project is %s', (projectPath, expected) => {
  const of = projectPath as ProjectPath;
  expect(resolveProjectPath('/site', of, { path: posix })).toBe(expected);
  expect(createProjectContext('/site', { path: posix }).resolve(of)).toBe(expected);
  expect(resolveProjectPath('C:\\site', of, { path: win32 })).toBe(`C:${expected.replaceAll('/', '\\')}`);
});

test('a context names the same places', () => {
  expect(createProjectContext('/site', { path: posix })).toMatchObject({
    root: '/site',
    systempromptDir: projectTable.root,
    profilesDir: projectTable['profiles-dir'],
    dockerDir: projectTable['docker-dir'],
    storageDir: projectTable['storage-dir'],
    sessionsDir: projectTable['sessions-dir'],
    dockerfile: projectTable.dockerfile,
    localCredentials: projectTable['local-credentials'],
    localTenants: projectTable['local-tenants'],
    localSession: projectTable['local-session'],
  });
});

const profileTable: Readonly<Record<ProfilePath, string>> = {
  config: 'profile.yaml',
  secrets: 'secrets.json',
  'docker-dir': 'docker',
  dockerfile: 'docker/Dockerfile',
  entrypoint: 'docker/entrypoint.sh',
  dockerignore: 'docker/Dockerfile.dockerignore',
  compose: 'docker/compose.yaml',
};

test.each(Object.entries(profileTable))('%s of a profile is %s', (profilePath, expected) => {
  expect(resolveProfilePath('/p', profilePath as ProfilePath, { path: posix })).toBe(`/p/${expected}`);
});

test('all paths of a profile', () => {
  const dir = '/site/.systemprompt/profiles/my-Profile_1';
  const expected = {
    name: 'my-Profile_1',
    dir,
    config: `${dir}/profile.yaml`,
    secrets: `${dir}/secrets.json`,
    dockerDir: `${dir}/docker`,
    dockerfile: `${dir}/docker/Dockerfile`,
    entrypoint: `${dir}/docker/entrypoint.sh`,
    dockerignore: `${dir}/docker/Dockerfile.dockerignore`,
    compose: `${dir}/docker/compose.yaml`,
  };
  expect(profilePaths('/site', 'my-Profile_1', { path: posix })).toEqual(expected);
  expect(createProjectContext('/site', { path: posix }).profile('my-Profile_1')).toEqual(expected);
});

test.each(['', '.', '..', 'a/b', 'a\\b', '../x', 'a b', 'ü', 'a\n', 'a.b', '\0'])(
  'the profile name %j is refused',
  (name) => {
    let error: unknown;
    try {
      profilePaths('/site', name);
    } catch (caught) {
      error = caught;
    }
    expect(isPathsError(error)).toBe(true);
    expect(error).toMatchObject({ code: 'SP_PATHS_PROFILE_NAME', profileName: name });
    expect((error as PathsError).message).not.toContain('\n');
  },
);

const site = '/home/ada/site';
const marked = `${site}/.systemprompt/`;
test.each([
  { why: 'nothing anywhere', disk: [], context: '/home/ada/site/services/web', found: undefined },
  { why: 'a Cargo.toml', disk: [marked, `${site}/Cargo.toml`], context: site, found: site },
  { why: 'a services directory', disk: [marked, `${site}/services/`], context: site, found: site },
  { why: 'a storage directory', disk: [marked, `${site}/storage/`], context: site, found: site },
  { why: 'services is a file', disk: [marked, `${site}/services`], context: `${site}/services/web`, found: site },
  { why: 'no other sign', disk: [marked], context: `${site}/services/web`, found: site },
  {
    why: '.systemprompt is a file',
    disk: [marked.slice(0, -1), `${site}/Cargo.toml`],
    context: `${site}/services/web`,
    found: undefined,
  },
  {
    why: 'an outer project with signs',
    disk: [marked, '/home/ada/.systemprompt/', '/home/ada/Cargo.toml'],
    context: '/home/ada',
    found: site,
  },
  {
    why: 'the start itself',
    disk: [`${site}/services/web/.systemprompt/`, `${site}/services/web/storage/`, marked, `${site}/Cargo.toml`],
    context: `${site}/services/web`,
    found: `${site}/services/web`,
  },
  { why: 'the root of the disk', disk: ['/.systemprompt/', '/Cargo.toml'], context: '/', found: '/' },
])('discovery with $why', ({ disk, context, found }) => {
  const options = { from: `${site}/services/web`, path: posix, entryKind: diskOf(...disk) };
  expect(discoverProjectContext(options).root).toBe(context);
  expect(findProject(options)?.root).toBe(found);
});

test('discovery with the rules of Windows', () => {
  const entryKind = diskOf('C:\\site\\.systemprompt\\', 'C:\\site\\Cargo.toml');
  const options = { path: win32, entryKind };
  expect(discoverProjectContext({ ...options, from: 'C:\\site\\a\\b' }).dockerfile).toBe(
    'C:\\site\\.systemprompt\\Dockerfile',
  );
  expect(findProject({ ...options, from: 'C:\\site\\a' })?.tenantsPath).toBe('C:\\site\\.systemprompt\\tenants.json');
  expect(findProject({ ...options, from: 'D:\\site\\a' })).toBeUndefined();
  expect(findProject({ ...options, from: '\\\\server\\share\\a' })).toBeUndefined();
});

test('a relative start is searched by its text only', () => {
  const entryKind = diskOf('./.systemprompt/', './services/');
  expect(discoverProjectContext({ from: 'a/b', path: posix, entryKind }).root).toBe('.');
});

test('a found project names its places and looks at the disk', () => {
  const entryKind = diskOf(
    '/site/.systemprompt/',
    '/site/.systemprompt/tenants.json',
    '/site/.systemprompt/profiles/dev/',
    '/site/.systemprompt/profiles/file',
  );
  const project = findProject({ from: '/site', path: posix, entryKind });
  expect(project).toMatchObject({
    root: '/site',
    systempromptDir: '/site/.systemprompt',
    credentialsPath: '/site/.systemprompt/credentials.json',
    tenantsPath: '/site/.systemprompt/tenants.json',
    sessionPath: '/site/.systemprompt/session.json',
    sessionsDir: '/site/.systemprompt/sessions',
    profilesDir: '/site/.systemprompt/profiles',
    dockerDir: '/site/.systemprompt/docker',
    storageDir: '/site/.systemprompt/storage',
  });
  expect(project?.profile('dev').config).toBe('/site/.systemprompt/profiles/dev/profile.yaml');
  expect([project?.hasCredentials(), project?.hasTenants(), project?.hasSession()]).toEqual([false, true, false]);
  expect(['dev', 'file', 'none'].map((name) => project?.hasProfile(name))).toEqual([true, false, false]);
  const context = createProjectContext('/site', { path: posix, entryKind });
  expect(['dev', 'file', 'none'].map((name) => context.profileExists(name))).toEqual([true, true, false]);
  expect([context.exists('local-tenants'), context.exists('local-credentials')]).toEqual([true, false]);
});

test('on a real disk, through a symlinked directory', async () => {
  const root = await mkdtemp(join(tmpdir(), 'sp-paths-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, 'real', '.systemprompt'), { recursive: true });
  await mkdir(join(root, 'site', 'services', 'web'), { recursive: true });
  await symlink(join(root, 'real', '.systemprompt'), join(root, 'site', '.systemprompt'));
  await writeFile(join(root, 'real', '.systemprompt', 'credentials.json'), '{}');
  const from = join(root, 'site', 'services', 'web');
  expect(discoverProjectContext({ from }).root).toBe(join(root, 'site'));
  expect(findProject({ from })?.hasCredentials()).toBe(true);
  expect(findProject({ from: join(root, 'site', 'services', 'none', 'at', 'all') })?.root).toBe(join(root, 'site'));
});

test('the guard knows errors of another copy of the package and nothing else', () => {
  expect(isPathsError(new PathsError('SP_PATHS_PROFILE_NAME', 'message', { profileName: '' }))).toBe(true);
  expect(isPathsError(Object.assign(new Error('copy'), { [Symbol.for('@sp/paths.error')]: true }))).toBe(true);
  expect(isPathsError(new Error('other'))).toBe(false);
});

test.each([
  ['root', true],
  ['profiles-dir', true],
  ['docker-dir', true],
  ['storage-dir', true],
  ['sessions-dir', true],
  ['dockerfile', false],
  ['local-credentials', false],
  ['local-tenants', false],
  ['local-session', false],
  ['credentials', false],
  ['tenants', false],
  ['cli-session', false],
  ['config', false],
  ['secrets', false],
  ['entrypoint', false],
] as const)('%s is a directory: %s', (path, expected) => {
  expect(isDirectoryPath(path)).toBe(expected);
});

test('what is in the docker directory of a profile', () => {
  const names = Object.keys(profileTable) as ProfilePath[];
  expect(names.filter(isDockerFile)).toEqual(names.filter((name) => profileTable[name].startsWith('docker/')));
});

test('a project at a known root', () => {
  const entryKind = diskOf('/site/.systemprompt/', '/file/.systemprompt');
  const at = (root: string): boolean => createDiscoveredProject(root, { path: posix, entryKind }).isInitialized();
  expect(['/site', '/site/.systemprompt', '/file', '/none'].map(at)).toEqual([true, false, false, false]);
  expect(createDiscoveredProject('C:\\site', { path: win32 }).sessionsDir).toBe('C:\\site\\.systemprompt\\sessions');
});
