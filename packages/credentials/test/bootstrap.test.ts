import { expect, test } from 'vitest';
import {
  type CredentialsBootstrapOptions,
  type CredentialsWarning,
  createCredentialsBootstrap,
  processCredentials,
} from '../src/bootstrap.ts';
import { bootstrapCredentials, type CloudCredentials, saveCredentials } from '../src/index.ts';
import { tempFile } from './temp-file.ts';
import { tokenWith } from './tokens.ts';

const nowSeconds = 2_000_000_000;
const container = { FLY_APP_NAME: 'tenant-app', SYSTEMPROMPT_API_TOKEN: 'opaque', SYSTEMPROMPT_USER_EMAIL: 'a@b.de' };

const credentialsFor = (seconds: number): CloudCredentials => ({
  apiToken: tokenWith({ exp: nowSeconds + seconds }),
  apiUrl: 'https://api.example',
  authenticatedAt: new Date('2026-11-21T10:11:12.000Z'),
  userEmail: 'ada@example.com',
});

async function optionsWith(
  changes: Partial<CredentialsBootstrapOptions> & { seconds?: number } = {},
): Promise<CredentialsBootstrapOptions & { warnings: CredentialsWarning[] }> {
  const { seconds, ...rest } = changes;
  const path = await tempFile('credentials.json');
  if (seconds !== undefined) await saveCredentials(path, credentialsFor(seconds));
  const warnings: CredentialsWarning[] = [];
  const now = (): number => nowSeconds * 1000;
  return { path, env: {}, now, onWarning: (warning) => warnings.push(warning), warnings, ...rest };
}

test('a container has the credentials of its environment, whole or not at all, and never the file', async () => {
  const options = await optionsWith({ seconds: 7200 });
  expect(await bootstrapCredentials({ ...options, env: container })).toMatchObject({
    source: 'environment',
    credentials: { apiToken: 'opaque', apiUrl: 'https://api.systemprompt.io', userEmail: 'a@b.de' },
  });
  for (const missing of ['SYSTEMPROMPT_API_TOKEN', 'SYSTEMPROMPT_USER_EMAIL']) {
    expect(await bootstrapCredentials({ ...options, env: { ...container, [missing]: '' } })).toBeUndefined();
  }
  const env = { ...container, SYSTEMPROMPT_API_URL: 'http://127.0.0.1:7300' };
  expect((await bootstrapCredentials({ ...options, env }))?.credentials.apiUrl).toBe('http://127.0.0.1:7300');
});

test('a token that is over is renewed by those who can', async () => {
  const options = await optionsWith();
  const next = { accessToken: credentialsFor(3600).apiToken, refreshToken: 'refresh-2', expiresIn: 3600 };
  await saveCredentials(options.path, { ...credentialsFor(-1), refreshToken: 'refresh-1' });
  await expect(bootstrapCredentials(options)).rejects.toMatchObject({ code: 'SP_CREDENTIALS_EXPIRED' });
  const renewed = await bootstrapCredentials({ ...options, exchange: async () => next });
  expect(renewed).toMatchObject({
    source: 'file',
    credentials: { apiToken: next.accessToken, refreshToken: 'refresh-2' },
  });

  await saveCredentials(options.path, { ...credentialsFor(-1), refreshToken: 'refresh-3' });
  const refused = bootstrapCredentials({ ...options, exchange: async () => undefined });
  await expect(refused).rejects.toMatchObject({ code: 'SP_CREDENTIALS_EXPIRED' });
  await saveCredentials(options.path, credentialsFor(7200));
  const unasked = bootstrapCredentials({ ...options, exchange: () => Promise.reject(new Error('not asked')) });
  expect((await unasked)?.credentials).toEqual(credentialsFor(7200));
});

test('before it is initialised it says so', async () => {
  const held = createCredentialsBootstrap();
  expect(held.isInitialized()).toBe(false);
  expect(held.expiresWithin(1e9)).toBe(false);
  for (const use of [() => held.get(), () => held.require()]) {
    expect(use).toThrowError(expect.objectContaining({ code: 'SP_BOOTSTRAP_NOT_INITIALIZED' }));
  }
  await expect(held.reload()).rejects.toMatchObject({ code: 'SP_BOOTSTRAP_NOT_INITIALIZED' });
});

test('it is initialised once, and again only by those who say that they try', async () => {
  const held = createCredentialsBootstrap();
  const options = await optionsWith({ seconds: 7200 });
  expect(await held.init(options)).toEqual(credentialsFor(7200));
  expect(held.require()).toEqual(held.get());
  expect([held.expiresWithin(7200), held.expiresWithin(7201)]).toEqual([false, true]);
  await expect(held.init(options)).rejects.toMatchObject({ code: 'SP_BOOTSTRAP_ALREADY_INITIALIZED' });
  expect(await held.tryInit(await optionsWith())).toEqual(credentialsFor(7200));
  held.initEmpty();
  expect(held.get()).toEqual(credentialsFor(7200));
  expect(options.warnings).toEqual([]);
});

test('two that begin at once share what one loads', async () => {
  const held = createCredentialsBootstrap();
  const options = await optionsWith({ seconds: 7200 });
  const [one, two] = await Promise.all([held.tryInit(options), held.tryInit(options)]);
  expect(one).toBe(two);
});

test('without credentials on purpose, nothing is available', () => {
  const held = createCredentialsBootstrap();
  held.initEmpty();
  expect([held.isInitialized(), held.get()]).toEqual([true, undefined]);
  expect(() => held.require()).toThrowError(expect.objectContaining({ code: 'SP_BOOTSTRAP_NOT_AVAILABLE' }));
});

test.each([
  { why: 'a missing file', code: 'SP_BOOTSTRAP_FILE_NOT_FOUND', options: {} },
  { why: 'an expired token', code: 'SP_CREDENTIALS_EXPIRED', options: { seconds: -1 } },
  {
    why: 'a server that refuses',
    code: 'SP_BOOTSTRAP_VALIDATION_FAILED',
    options: { seconds: 7200, validate: async () => false },
  },
  {
    why: 'a server that does not answer',
    code: 'SP_BOOTSTRAP_VALIDATION_FAILED',
    options: { seconds: 7200, validate: () => Promise.reject(new Error('no network')) },
  },
])('$why keeps it from being initialised, and the next attempt may succeed', async ({ code, options }) => {
  const held = createCredentialsBootstrap();
  await expect(held.init(await optionsWith(options))).rejects.toMatchObject({ code });
  expect(held.isInitialized()).toBe(false);
  await held.init(await optionsWith({ seconds: 7200 }));
});

test('a token that expires within the hour is a warning; so is a container that the server refuses', async () => {
  const soon = await optionsWith({ seconds: 3599 });
  await createCredentialsBootstrap().init(soon);
  expect(soon.warnings).toEqual([{ type: 'expires-soon' }]);
  const refused = await optionsWith({ env: container, validate: async () => false });
  expect(await createCredentialsBootstrap().init(refused)).toMatchObject({ apiToken: 'opaque' });
  expect(refused.warnings).toEqual([{ type: 'validation-failed' }]);
});

test('a container without credentials is initialised without any', async () => {
  const held = createCredentialsBootstrap();
  expect(await held.init(await optionsWith({ env: { FLY_APP_NAME: 'x' } }))).toBeUndefined();
  expect(held.isInitialized()).toBe(true);
});

test('loading again does not replace what is held', async () => {
  const held = createCredentialsBootstrap();
  const options = await optionsWith({ seconds: 7200 });
  await held.init(options);
  await saveCredentials(options.path, credentialsFor(9000));
  expect(await held.reload()).toEqual(credentialsFor(9000));
  expect(held.get()).toEqual(credentialsFor(7200));
});

test('the process has one holder', () => {
  expect(processCredentials()).toBe(processCredentials());
});
