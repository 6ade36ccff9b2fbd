import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { editSecrets, loadSecrets, secretsToEnvironment } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('secrets become the variables that a tenant reads', () => {
  const environment = secretsToEnvironment({
    jwt_secret: 'j'.repeat(32),
    database_url: 'outside',
    external_database_url: 'outside',
    internal_database_url: 'inside',
    DATABASE_URL: 'spelled out',
    gemini: 'g',
    anthropic: 'a',
    openai: 'o',
    github: 'gh',
    moonshot: 'm',
    sync_token: 's',
    my_own: 'x',
    empty: '',
    fly_app_name: 'never',
    FLY_MACHINE_ID: 'never',
  });
  expect(Object.entries(environment)).toEqual([
    ['ANTHROPIC_API_KEY', 'a'],
    ['DATABASE_URL', 'inside'],
    ['EXTERNAL_DATABASE_URL', 'outside'],
    ['GEMINI_API_KEY', 'g'],
    ['GITHUB', 'gh'],
    ['GITHUB_TOKEN', 'gh'],
    ['JWT_SECRET', 'j'.repeat(32)],
    ['MOONSHOT', 'm'],
    ['MOONSHOT_API_KEY', 'm'],
    ['MY_OWN', 'x'],
    ['OPENAI_API_KEY', 'o'],
    ['SYNC_TOKEN', 's'],
    ['SYSTEMPROMPT_CUSTOM_SECRETS', 'EXTERNAL_DATABASE_URL,GITHUB,MOONSHOT,MOONSHOT_API_KEY,MY_OWN'],
  ]);
});

test("a variable's own name wins over its alias, in any order", () => {
  expect(secretsToEnvironment({ GITHUB_TOKEN: 'own', github: 'alias' })['GITHUB_TOKEN']).toBe('own');
  expect(secretsToEnvironment({ github: 'alias', GITHUB_TOKEN: 'own' })['GITHUB_TOKEN']).toBe('own');
  expect(secretsToEnvironment({ ANTHROPIC_API_KEY: 'own', anthropic: 'alias' })).toEqual({ ANTHROPIC_API_KEY: 'own' });
  expect(secretsToEnvironment({ database_url: 'only' })).toEqual({ DATABASE_URL: 'only' });
  expect(secretsToEnvironment({})).toEqual({});
});

test('a name that cannot be a variable is named, not its value', () => {
  expect(() => secretsToEnvironment({ 'my-key': 'planted' })).toThrow(
    expect.objectContaining({
      code: 'SP_PROFILE_SECRETS_INVALID',
      findings: [{ member: 'my-key', problem: 'cannot name an environment variable' }],
      message: expect.not.stringContaining('planted'),
    }),
  );
});

test('a JWT secret that no tenant takes is refused, and what is no text is told of', async () => {
  for (const member of ['jwt_secret', 'JWT_SECRET']) {
    expect(() => secretsToEnvironment({ [member]: 'planted' })).toThrow(
      expect.objectContaining({
        code: 'SP_PROFILE_SECRETS_INVALID',
        findings: [{ member, problem: 'must have at least 32 bytes' }],
        message: expect.not.stringContaining('planted'),
      }),
    );
  }
  const path = join(await temporaryFolder(), 'secrets.json');
  await writeFile(path, '{"my_num":1,"flag":false,"list":["x"],"none":null,"empty":"","text":"t"}', { mode: 0o600 });
  const dropped: string[] = [];
  expect(await loadSecrets(path, { onDropped: (member) => dropped.push(member) })).toEqual({ text: 't' });
  expect(dropped).toEqual(['my_num', 'flag', 'list']);
});

test('only texts that are not empty are secrets', async () => {
  const path = join(await temporaryFolder(), 'secrets.json');
  expect(await loadSecrets(path)).toBeUndefined();
  await writeFile(path, '{"a":"1","b":null,"c":2,"d":"","e":{"f":"g"}}', { mode: 0o600 });
  expect(await loadSecrets(path)).toEqual({ a: '1' });
  for (const text of ['["planted"]', '{"a": planted']) {
    await writeFile(path, text);
    await expect(loadSecrets(path)).rejects.toMatchObject({ code: 'SP_PROFILE_SECRETS_INVALID', path });
  }
});

test('secrets are set and taken out, the others stay in their order', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'secrets.json');
  expect(await editSecrets(path, { anthropic: 'a', gemini: undefined })).toBe(true);
  expect(await readFile(path, 'utf8')).toBe('{\n  "anthropic": "a"\n}');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['secrets.json']);
  const text = '{ "z": 1, "__proto__": "p",\n"openai": "old", "a": null }';
  await writeFile(path, text);
  expect(await editSecrets(path, { openai: 'old', gemini: undefined })).toBe(false);
  expect(await readFile(path, 'utf8')).toBe(text);
  expect(await editSecrets(path, { openai: 'new', z: undefined, github: 'g' })).toBe(true);
  expect(await readFile(path, 'utf8')).toBe(
    '{\n  "__proto__": "p",\n  "openai": "new",\n  "a": null,\n  "github": "g"\n}',
  );
  await writeFile(path, '["planted"]');
  await expect(editSecrets(path, { a: 'b' })).rejects.toMatchObject({
    code: 'SP_PROFILE_SECRETS_INVALID',
    message: expect.not.stringContaining('planted'),
  });
  expect(await readFile(path, 'utf8')).toBe('["planted"]');
});

test('of ten writers at once that each set a secret none is lost', async () => {
  const path = join(await temporaryFolder(), 'secrets.json');
  const names = Array.from({ length: 10 }, (_, index) => `secret_${index}`);
  await Promise.all(names.map((name) => editSecrets(path, { [name]: name })));
  expect(Object.keys((await loadSecrets(path)) ?? {}).sort()).toEqual(names);
});
