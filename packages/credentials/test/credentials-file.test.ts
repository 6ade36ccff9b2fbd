import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import {
  bootstrapCredentials,
  type CloudCredentials,
  CredentialsError,
  deleteCredentials,
  isCredentialsError,
  loadCredentials,
  saveCredentials,
} from '../src/index.ts';
import { tokenWith } from './tokens.ts';

const token = tokenWith({ exp: 4_000_000_000 });
const credentials: CloudCredentials = {
  apiToken: token,
  apiUrl: 'https://api.systemprompt.io',
  authenticatedAt: new Date('2026-11-21T10:11:12.345Z'),
  userEmail: 'ada@example.com',
};
const stored = {
  api_token: token,
  api_url: 'https://api.systemprompt.io',
  authenticated_at: '2026-11-21T10:11:12.345Z',
  user_email: 'ada@example.com',
};

/** Where a test's credentials are, below a `.systemprompt` that does not exist yet. */
async function credentialPath(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sp-credentials-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return join(root, '.systemprompt', 'credentials.json');
}

async function pathWith(content: unknown): Promise<string> {
  const path = await credentialPath();
  await saveCredentials(path, credentials);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

test('what is saved is loaded, and the file is the one of the predecessor', async () => {
  const path = await credentialPath();
  expect(await loadCredentials(path)).toBeUndefined();
  await saveCredentials(path, credentials);
  expect(await loadCredentials(path)).toEqual(credentials);
  expect(await readFile(path, 'utf8')).toBe(
    `{\n  "api_token": "${token}",\n  "api_url": "https://api.systemprompt.io",\n` +
      '  "authenticated_at": "2026-11-21T10:11:12.345Z",\n  "user_email": "ada@example.com"\n}',
  );
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await readdir(join(path, '..'))).sort()).toEqual(['.gitignore', 'credentials.json']);
});

test('keys of others survive in their order, those of ours are new and first', async () => {
  const path = await pathWith({ zebra: 1, user_email: 'old@example.com', last_validated_at: null, api_token: 'old' });
  await saveCredentials(path, credentials);
  await saveCredentials(path, { ...credentials, userEmail: 'new@example.com' });
  const keys = Object.entries(JSON.parse(await readFile(path, 'utf8')) as object);
  expect(keys).toEqual(Object.entries({ ...stored, user_email: 'new@example.com', zebra: 1, last_validated_at: null }));
});

test.each(['', '{"api_token": "the-se', '[1]', 'null', '"text"'])(
  'a corrupted file (%j) is replaced',
  async (content) => {
    const path = await pathWith(content);
    await saveCredentials(path, credentials);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(stored);
  },
);

test.each([
  { why: 'empty', content: '' },
  { why: 'no JSON', content: '{"api_token": "the-secret", oops' },
  { why: 'no object', content: '["the-secret"]' },
  { why: 'null', content: 'null' },
  { why: 'a missing key', content: { ...stored, user_email: undefined } },
  { why: 'an empty token', content: { ...stored, api_token: '' } },
  { why: 'a token of another type', content: { ...stored, api_token: ['the-secret'] } },
  { why: 'a relative address', content: { ...stored, api_url: '/api/the-secret' } },
  { why: 'a date only', content: { ...stored, authenticated_at: '2026-11-21' } },
  { why: 'a time without offset', content: { ...stored, authenticated_at: '2026-11-21T10:11:12' } },
  { why: 'an impossible time', content: { ...stored, authenticated_at: '2026-13-21T10:11:12Z' } },
  { why: 'no e-mail', content: { ...stored, user_email: 'the-secret' } },
])('a file with $why is corrupted, and the error does not quote it', async ({ content }) => {
  const path = await pathWith(content);
  const error = await loadCredentials(path).catch((error: unknown) => error);
  expect(isCredentialsError(error)).toBe(true);
  expect(error).toMatchObject({ code: 'SP_CREDENTIALS_CORRUPTED', path });
  expect((error as CredentialsError).reason).not.toBe('');
  expect(inspect(error, { depth: 9 }) + JSON.stringify({ ...(error as object) })).not.toContain('the-secret');
});

test.each([
  'ada@localhost',
  `${'a'.repeat(64)}@example.com`,
  "o'neil+x{y}@a-b.example",
  'ada@[192.0.2.1]',
  'ada@[IPv6:2001:db8::1]',
])('the e-mail address %s is accepted', async (email) => {
  expect((await loadCredentials(await pathWith({ ...stored, user_email: email })))?.userEmail).toBe(email);
});

test.each([
  '',
  '@example.com',
  'ada@',
  'ada',
  'a@b@c',
  'a b@c',
  `${'a'.repeat(65)}@c`,
  'a@-b.c',
  'a@b-.c',
  'a@b..c',
  `a@${'b'.repeat(64)}.c`,
  `a@${'b.'.repeat(127)}bb`,
  'a@[nope]',
  'a@b\n',
])('the e-mail address %j is refused', async (email) => {
  const path = await pathWith({ ...stored, user_email: email });
  await expect(loadCredentials(path)).rejects.toMatchObject({ code: 'SP_CREDENTIALS_CORRUPTED' });
});

test.each(['2026-11-21T11:11:12+01:00', '2026-11-21T10:11:12Z', '2026-11-21T10:11:12.000000000Z'])(
  'the time %s of the predecessor is read',
  async (time) => {
    const loaded = await loadCredentials(await pathWith({ ...stored, authenticated_at: time }));
    expect(loaded?.authenticatedAt).toEqual(new Date('2026-11-21T10:11:12Z'));
  },
);

test.each([
  { apiToken: '' },
  { apiUrl: 'api.systemprompt.io' },
  { userEmail: '' },
  { authenticatedAt: new Date(Number.NaN) },
])('credentials with %j are not saved', async (wrong) => {
  const path = await credentialPath();
  await expect(saveCredentials(path, { ...credentials, ...wrong })).rejects.toMatchObject({
    code: 'SP_CREDENTIALS_INVALID',
  });
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('deleting tells whether there was a file, and a corrupted one is no obstacle', async () => {
  const path = await pathWith('{ corrupted');
  expect(await deleteCredentials(path)).toBe(true);
  expect(await deleteCredentials(path)).toBe(false);
  expect(await loadCredentials(path)).toBeUndefined();
});

test('an open file is closed to others; a symlink is refused', async () => {
  const path = await pathWith(stored);
  await chmod(path, 0o644);
  expect(await loadCredentials(path)).toEqual(credentials);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const link = `${path}.link`;
  await symlink(path, link);
  await expect(loadCredentials(link)).rejects.toMatchObject({ code: 'SP_FILE_SYMLINK', path: link });
});

test('bootstrap: the environment wins, also over a corrupted file', async () => {
  const path = await pathWith('{ corrupted');
  const now = (): number => 1_800_000_000_000;
  const env = { SYSTEMPROMPT_API_TOKEN: ' opaque-token\r\n' };
  expect(await bootstrapCredentials({ path, env, now })).toEqual({
    source: 'environment',
    credentials: {
      apiToken: 'opaque-token',
      apiUrl: 'https://api.systemprompt.io',
      authenticatedAt: new Date(1_800_000_000_000),
      userEmail: '',
    },
  });
  const more = { ...env, SYSTEMPROMPT_API_URL: 'http://127.0.0.1:8080', SYSTEMPROMPT_USER_EMAIL: 'ada@example.com' };
  expect((await bootstrapCredentials({ path, env: more }))?.credentials).toMatchObject({
    apiUrl: 'http://127.0.0.1:8080',
    userEmail: 'ada@example.com',
  });
  await expect(bootstrapCredentials({ path, env: { ...env, SYSTEMPROMPT_API_URL: 'nowhere' } })).rejects.toMatchObject({
    code: 'SP_CREDENTIALS_INVALID',
  });
  await expect(bootstrapCredentials({ path, env: {} })).rejects.toMatchObject({ code: 'SP_CREDENTIALS_CORRUPTED' });
});

test('bootstrap: else the file, and an expired one is named', async () => {
  const path = await credentialPath();
  const env = { SYSTEMPROMPT_API_TOKEN: '', SYSTEMPROMPT_API_URL: 'https://ignored.example' };
  expect(await bootstrapCredentials({ path, env })).toBeUndefined();
  await saveCredentials(path, credentials);
  expect(await bootstrapCredentials({ path, env })).toEqual({ credentials, source: 'file' });
  const now = (): number => 4_000_000_001_000;
  await expect(bootstrapCredentials({ path, env, now })).rejects.toMatchObject({
    code: 'SP_CREDENTIALS_EXPIRED',
    path,
    expiredAt: new Date(4_000_000_000_000),
  });
  await saveCredentials(path, { ...credentials, apiToken: 'not-a-jwt-the-secret' });
  const error = await bootstrapCredentials({ path, env }).catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'SP_CREDENTIALS_EXPIRED', expiredAt: undefined });
  expect(inspect(error, { depth: 9 })).not.toContain('the-secret');
});

test('the guard knows errors of another copy of the package and nothing else', () => {
  expect(isCredentialsError(new CredentialsError('SP_LOGIN_ABORTED', 'message'))).toBe(true);
  expect(isCredentialsError(Object.assign(new Error('copy'), { [Symbol.for('@sp/credentials.error')]: true }))).toBe(
    true,
  );
  expect(isCredentialsError(new Error('other'))).toBe(false);
});
