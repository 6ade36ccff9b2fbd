import { posix, win32 } from 'node:path';
import { expect, test } from 'vitest';
import {
  type CloudPaths,
  createCloudPaths,
  createConfiguredCloudPaths,
  discoverUnifiedContext,
  getCloudPaths,
} from '../src/index.ts';
import { diskOf } from './fake-disk.ts';

function allOf(paths: CloudPaths): readonly string[] {
  return [
    paths.baseDir,
    ...(['credentials', 'tenants', 'cli-session', 'sessions-dir'] as const).map((path) => paths.resolve(path)),
  ];
}

function filesIn(base: string): readonly string[] {
  return [base, ...['credentials.json', 'tenants.json', 'session.json', 'sessions'].map((name) => `${base}/${name}`)];
}

test('of a directory', () => {
  expect(allOf(createCloudPaths('/p', { path: posix }))).toEqual(filesIn('/p/.systemprompt'));
  expect(createCloudPaths('C:\\p', { path: win32 }).resolve('credentials')).toBe(
    'C:\\p\\.systemprompt\\credentials.json',
  );
});

test('of the project around a directory', () => {
  const entryKind = diskOf('/site/.systemprompt/', '/site/services/', '/site/.systemprompt/credentials.json');
  const paths = getCloudPaths({ from: '/site/services/web', path: posix, entryKind });
  expect(allOf(paths)).toEqual(filesIn('/site/.systemprompt'));
  expect([paths.exists('credentials'), paths.exists('tenants')]).toEqual([true, false]);
  expect(getCloudPaths({ from: '/other', path: posix, entryKind }).baseDir).toBe('/other/.systemprompt');
});

const profileDir = '/site/.systemprompt/profiles/dev';
const base = '/site/.systemprompt';
test.each([
  { profileDir, credentialsPath: '', tenantsPath: '', expected: filesIn(base) },
  {
    profileDir: '/elsewhere/dev',
    credentialsPath: '',
    tenantsPath: '',
    expected: filesIn('/elsewhere/dev/.systemprompt'),
  },
  { profileDir: base, credentialsPath: '', tenantsPath: '', expected: filesIn(base) },
  {
    profileDir,
    credentialsPath: '~/sp/who.json',
    tenantsPath: 'mine.json',
    expected: [
      '/home/ada/sp',
      '/home/ada/sp/who.json',
      `${profileDir}/mine.json`,
      '/home/ada/sp/session.json',
      '/home/ada/sp/sessions',
    ],
  },
  {
    profileDir,
    credentialsPath: '/etc/sp/who.json',
    tenantsPath: '',
    expected: ['/etc/sp', '/etc/sp/who.json', '/etc/sp/tenants.json', '/etc/sp/session.json', '/etc/sp/sessions'],
  },
  {
    profileDir,
    credentialsPath: '',
    tenantsPath: '/etc/sp/tenants.json',
    expected: [base, `${base}/credentials.json`, '/etc/sp/tenants.json', `${base}/session.json`, `${base}/sessions`],
  },
])('configured: $profileDir, "$credentialsPath", "$tenantsPath"', ({ expected, ...options }) => {
  expect(allOf(createConfiguredCloudPaths({ ...options, home: '/home/ada', path: posix }))).toEqual(expected);
});

test('unified: configured places win over the project, the project over the last resort', () => {
  const entryKind = diskOf(
    '/site/.systemprompt/',
    '/site/.systemprompt/tenants.json',
    '/etc/sp/credentials.json',
    '.systemprompt/session.json',
    '/site/.systemprompt/profiles/dev/',
  );
  const options = { path: posix, entryKind };
  const cloudPaths = createConfiguredCloudPaths({
    ...options,
    profileDir: '/p',
    credentialsPath: '/etc/sp/credentials.json',
    tenantsPath: '',
  });

  const configured = discoverUnifiedContext({ ...options, from: '/site/a', cloudPaths });
  expect(configured).toMatchObject({
    credentialsPath: '/etc/sp/credentials.json',
    tenantsPath: '/etc/sp/tenants.json',
    sessionPath: '/etc/sp/session.json',
    profilesDir: '/site/.systemprompt/profiles',
    storageDir: '/site/.systemprompt/storage',
    dockerDir: '/site/.systemprompt/docker',
  });
  expect([configured.hasCredentials(), configured.hasTenants(), configured.hasSession()]).toEqual([true, false, false]);

  const project = discoverUnifiedContext({ ...options, from: '/site/a' });
  expect(project).toMatchObject({ credentialsPath: '/site/.systemprompt/credentials.json', cloudPaths: undefined });
  expect(project.project?.root).toBe('/site');
  expect([project.hasCredentials(), project.hasTenants(), project.hasSession()]).toEqual([false, true, false]);
  expect([project.hasProfile('dev'), project.hasProfile('none')]).toEqual([true, false]);
  expect(project.profile('dev')?.dir).toBe('/site/.systemprompt/profiles/dev');

  const nothing = discoverUnifiedContext({ ...options, from: '/other' });
  expect(nothing).toMatchObject({
    credentialsPath: '.systemprompt/credentials.json',
    tenantsPath: '.systemprompt/tenants.json',
    sessionPath: '.systemprompt/session.json',
    project: undefined,
    profilesDir: undefined,
    dockerDir: undefined,
    storageDir: undefined,
    systempromptDir: undefined,
  });
  expect([nothing.hasSession(), nothing.hasProfile('dev'), nothing.profile('dev')]).toEqual([true, false, undefined]);
});
