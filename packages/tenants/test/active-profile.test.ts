import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type ActiveProfileOptions, resolveActiveProfile } from '../src/index.ts';
import { profileText } from './profile-text.ts';
import { temporaryFolder } from './temporary-folder.ts';

interface Project {
  readonly root: string;
  readonly options: ActiveProfileOptions;
  path(name: string): string;
}

async function project(...names: string[]): Promise<Project> {
  const root = await temporaryFolder();
  const profilesDirectory = join(root, '.systemprompt', 'profiles');
  const path = (name: string): string => join(profilesDirectory, name, 'profile.yaml');
  for (const name of names) {
    await mkdir(dirname(path(name)), { recursive: true });
    await writeFile(path(name), profileText());
  }
  return { root, path, options: { env: {}, profilesDirectory, from: root, home: root } };
}

test('what was asked for wins over the environment, that over the session, that over what there is', async () => {
  const { options, path } = await project('a', 'b', 'c');
  const env = { SYSTEMPROMPT_PROFILE: 'b' };
  const sessions = { activeProfileName: 'c' };
  const resolve = (more: Partial<ActiveProfileOptions>): Promise<unknown> =>
    resolveActiveProfile({ ...options, ...more });
  expect(await resolve({ requested: 'a', env, sessions })).toEqual({
    kind: 'found',
    path: path('a'),
    source: 'requested',
  });
  expect(await resolve({ env, sessions })).toEqual({ kind: 'found', path: path('b'), source: 'environment' });
  expect(await resolve({ sessions })).toEqual({ kind: 'found', path: path('c'), source: 'session' });
  expect(await resolve({})).toEqual({
    kind: 'several',
    profiles: ['a', 'b', 'c'].map((name) => ({ name, path: path(name), hasSecrets: false })),
  });
  expect(await resolve({ env: { SYSTEMPROMPT_PROFILE: '' }, requested: '' })).toMatchObject({ kind: 'several' });
});

test("the session's file counts where its name leads to nothing", async () => {
  const { options, path } = await project('a', 'b');
  const activeProfilePath = path('b');
  for (const activeProfileName of [undefined, 'gone', '../../profiles/a']) {
    const sessions = { activeProfileName, activeProfilePath };
    expect(await resolveActiveProfile({ ...options, sessions })).toMatchObject({ path: path('b'), source: 'session' });
  }
  const sessions = { activeProfileName: 'gone', activeProfilePath: join(path('b'), 'gone') };
  expect(await resolveActiveProfile({ ...options, sessions })).toMatchObject({ kind: 'several' });
});

test('none, one, and one among those that cannot be read', async () => {
  expect(await resolveActiveProfile((await project()).options)).toEqual({ kind: 'none' });
  const { options, path } = await project('a');
  expect(await resolveActiveProfile(options)).toEqual({ kind: 'found', path: path('a'), source: 'only' });
  await mkdir(dirname(path('b')));
  await writeFile(path('b'), 'name: [');
  expect(await resolveActiveProfile(options)).toEqual({ kind: 'found', path: path('a'), source: 'only' });
  await writeFile(path('a'), 'name: [');
  expect(await resolveActiveProfile(options)).toMatchObject({ kind: 'several' });
});

test.each([
  ['a', 'a'],
  ['./.systemprompt/profiles/a/profile.yaml', 'a'],
  ['.systemprompt/profiles/a', 'a'],
  ['~/.systemprompt/profiles/a/', 'a'],
  ['.systemprompt/../.systemprompt/profiles/a', 'a'],
])('%s is a profile', async (requested, name) => {
  const { options, path } = await project('a');
  expect(await resolveActiveProfile({ ...options, requested })).toMatchObject({ path: path(name) });
});

test.each(['b', './b', 'a.yaml', '~', '..', '/', '~ada/a'])('%s is no profile', async (requested) => {
  const { options } = await project('a');
  await expect(resolveActiveProfile({ ...options, requested })).rejects.toMatchObject({
    code: 'SP_PROFILE_NOT_FOUND',
    path: expect.any(String),
  });
});

test('a name can be that of a session of another project', async () => {
  const here = await project('a');
  const there = await project('elsewhere');
  const profiles = [{ profileName: 'elsewhere' }, { profileName: 'elsewhere', profilePath: there.path('elsewhere') }];
  const options = { ...here.options, sessions: { profiles }, requested: 'elsewhere' };
  expect(await resolveActiveProfile(options)).toMatchObject({ path: there.path('elsewhere'), source: 'requested' });
});
