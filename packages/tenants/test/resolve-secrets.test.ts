import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import {
  effectiveDatabaseUrl,
  lookupSecret,
  maskSecret,
  type Profile,
  type ResolvedSecrets,
  resolveSecrets,
  type Secrets,
} from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const jwt = 'j'.repeat(32);
const inFile = { jwt_secret: jwt, database_url: 'postgres://file' };
const inEnvironment = { JWT_SECRET: 'e'.repeat(32), DATABASE_URL: 'postgres://environment' };

async function resolve(
  file: unknown,
  env: Record<string, string> = {},
  source: 'file' | 'env' | undefined = 'file',
): Promise<ResolvedSecrets> {
  const secretsPath = join(await temporaryFolder(), 'secrets.json');
  const text = typeof file === 'string' ? file : JSON.stringify(file);
  if (file !== undefined) await writeFile(secretsPath, text, { mode: 0o600 });
  return resolveSecrets({
    profile: { path: 'profile.yaml', secrets: { secretsPath, validation: 'warn', source } },
    env,
  });
}

test('all members of a file, and what they are called', async () => {
  const { secrets, source, path } = await resolve({
    ...inFile,
    database_write_url: 'w',
    external_database_url: 'x',
    internal_database_url: 'i',
    sync_token: 's',
    gemini: 'g',
    anthropic: 'a',
    openai: 'o',
    github: 'gh',
    moonshot: 'm',
    qwen: null,
    my_own: 'mine',
    OTHER: '',
    __proto__x: 'y',
  });
  expect(source).toBe('file');
  expect(path).toContain('secrets.json');
  expect(secrets).toEqual({
    jwtSecret: jwt,
    databaseUrl: 'postgres://file',
    databaseWriteUrl: 'w',
    externalDatabaseUrl: 'x',
    internalDatabaseUrl: 'i',
    syncToken: 's',
    gemini: 'g',
    anthropic: 'a',
    openai: 'o',
    github: 'gh',
    moonshot: 'm',
    custom: new Map([
      ['my_own', 'mine'],
      ['OTHER', ''],
      ['__proto__x', 'y'],
    ]),
  });
  const names: Record<string, string | undefined> = {
    JWT_SECRET: jwt,
    jwt_secret: jwt,
    DATABASE_URL: 'postgres://file',
    DATABASE_WRITE_URL: 'w',
    EXTERNAL_DATABASE_URL: 'x',
    INTERNAL_DATABASE_URL: 'i',
    SYNC_TOKEN: 's',
    GEMINI_API_KEY: 'g',
    ANTHROPIC_API_KEY: 'a',
    OPENAI_API_KEY: 'o',
    GITHUB_TOKEN: 'gh',
    MOONSHOT_API_KEY: 'm',
    KIMI_API_KEY: 'm',
    kimi: 'm',
    DASHSCOPE_API_KEY: undefined,
    MY_OWN: 'mine',
    my_own: 'mine',
    other: '',
    constructor: undefined,
    __proto__: undefined,
  };
  for (const [name, value] of Object.entries(names)) expect([name, lookupSecret(secrets, name)]).toEqual([name, value]);
  expect(effectiveDatabaseUrl(secrets, { external: true })).toBe('x');
  expect(effectiveDatabaseUrl(secrets, { external: false })).toBe('postgres://file');
  expect(effectiveDatabaseUrl({ ...secrets, externalDatabaseUrl: undefined }, { external: true })).toBe(
    'postgres://file',
  );
});

test('all variables of the environment', async () => {
  const env = {
    ...inEnvironment,
    FLY_APP_NAME: 'app',
    KIMI_API_KEY: 'm',
    DASHSCOPE_API_KEY: 'q',
    OWN: '1',
    SYSTEMPROMPT_CUSTOM_SECRETS: ' OWN , ,GONE',
  };
  const { secrets, source } = await resolve(undefined, env, 'env');
  expect(source).toBe('environment');
  expect(secrets).toEqual({
    jwtSecret: inEnvironment.JWT_SECRET,
    databaseUrl: inEnvironment.DATABASE_URL,
    moonshot: 'm',
    qwen: 'q',
    custom: new Map([['OWN', '1']]),
  });
});

test.each<[string, Record<string, string>, 'file' | 'env', boolean, ResolvedSecrets['source']]>([
  ['a machine, whatever the profile says', { ...inEnvironment, FLY_APP_NAME: '' }, 'file', true, 'environment'],
  ['a program of the project', { ...inEnvironment, SYSTEMPROMPT_SUBPROCESS: '1' }, 'file', true, 'environment'],
  ['a machine with a short JWT secret', { FLY_APP_NAME: 'a', JWT_SECRET: 'short' }, 'file', true, 'file'],
  ['the environment alone decides nothing', inEnvironment, 'file', true, 'file'],
  ['env elsewhere: the file first', inEnvironment, 'env', true, 'file'],
  ['env elsewhere: without a file', inEnvironment, 'env', false, 'environment'],
])('%s', async (_, env, source, hasFile, expected) => {
  expect((await resolve(hasFile ? inFile : undefined, env, source)).source).toBe(expected);
});

test.each<[string, unknown, Record<string, string>, 'file' | 'env', string[]]>([
  ['no file', undefined, inEnvironment, 'file', ['file']],
  ['no JSON', '{"jwt_secret": planted', {}, 'file', ['file']],
  ['no object', '["planted"]', {}, 'file', ['file']],
  ['a short secret and no database', { jwt_secret: 'planted' }, {}, 'file', ['jwt_secret', 'database_url']],
  ['kinds', { ...inFile, gemini: 1, mine: null, yours: {} }, {}, 'file', ['gemini', 'mine', 'yours']],
  ['an empty environment', undefined, {}, 'env', ['JWT_SECRET', 'DATABASE_URL']],
  ['a machine without variables', inFile, { FLY_APP_NAME: 'app' }, 'env', ['JWT_SECRET', 'DATABASE_URL']],
])('named, without values: %s', async (_, file, env, source, members) => {
  const error = await resolve(file, env, source).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'SP_PROFILE_SECRETS_INVALID' });
  expect((error as { findings: { member: string }[] }).findings.map(({ member }) => member)).toEqual(members);
  expect(inspect(error, { depth: 9 })).not.toContain('planted');
});

test('a profile without secrets is named', async () => {
  const profile: Pick<Profile, 'path' | 'secrets'> = { path: '/p/profile.yaml' };
  await expect(resolveSecrets({ profile, env: inEnvironment })).rejects.toMatchObject({
    code: 'SP_PROFILE_INVALID',
    path: '/p/profile.yaml',
    findings: [{ member: 'secrets', problem: 'is missing' }],
  });
});

test("one of the project's own is found in both cases, the exact one first", () => {
  const secrets: Secrets = {
    jwtSecret: jwt,
    databaseUrl: 'd',
    custom: new Map([
      ['own', '1'],
      ['OWN', '2'],
    ]),
  };
  expect(['own', 'OWN', 'Own'].map((name) => lookupSecret(secrets, name))).toEqual(['1', '2', '2']);
});

test.each([
  ['', 4, '(not set)'],
  ['abcd', 4, '***'],
  ['abcde', 4, 'abcd...'],
])('maskSecret(%j, %i) is %s', (value, visible, expected) => {
  expect(maskSecret(value, visible)).toBe(expected);
});
