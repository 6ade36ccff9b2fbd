import { readFile, writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import {
  type CloudCredentials,
  createTokenSource,
  deleteCredentials,
  loadCredentials,
  type RefreshRequest,
  saveCredentials,
} from '../src/index.ts';
import { buildForChildren, fixture, run } from './child-build.ts';
import { startRefreshServer } from './refresh-server.ts';
import { tempFile } from './temp-file.ts';
import { tokenWith } from './tokens.ts';

const nowSeconds = 2_000_000_000;
const now = (): number => nowSeconds * 1000;

function credentialsFor(seconds: number, changes: Partial<CloudCredentials> = {}): CloudCredentials {
  return {
    apiToken: tokenWith({ exp: nowSeconds + seconds }),
    apiUrl: 'https://api.example',
    authenticatedAt: new Date('2026-11-21T10:11:12.000Z'),
    userEmail: 'ada@example.com',
    refreshToken: 'refresh-1',
    ...changes,
  };
}

const next = tokenWith({ exp: nowSeconds + 3600 });

/** A source over these credentials, and what it sent. */
async function sourceOver(
  credentials: CloudCredentials,
  answer: (
    request: RefreshRequest,
  ) => Promise<{ accessToken: string; refreshToken?: string } | undefined> = async () => ({
    accessToken: next,
    refreshToken: 'refresh-2',
  }),
) {
  const path = await tempFile('credentials.json');
  await saveCredentials(path, credentials);
  const sent: RefreshRequest[] = [];
  const source = createTokenSource({
    path,
    now,
    exchange: async (request) => {
      sent.push(request);
      const tokens = await answer(request);
      return tokens && { ...tokens, expiresIn: 3600 };
    },
  });
  return { path, source, sent };
}

test('a token that lasts is given as it is', async () => {
  const { source, sent } = await sourceOver(credentialsFor(60));
  expect(await source()).toBe(credentialsFor(60).apiToken);
  expect(sent).toEqual([]);
});

test.each([59, 0, -100_000])(
  'a token that expires in %i seconds is renewed, and the file has the new pair',
  async (seconds) => {
    const { path, source, sent } = await sourceOver(credentialsFor(seconds));
    expect(await source()).toBe(next);
    expect(await source()).toBe(next);
    expect(sent).toMatchObject([{ refreshToken: 'refresh-1', apiUrl: 'https://api.example' }]);
    const stored = JSON.parse(await readFile(path, 'utf8')) as object;
    expect(Object.entries(stored)).toEqual([
      ['api_token', next],
      ['api_url', 'https://api.example'],
      ['authenticated_at', '2026-11-21T10:11:12.000Z'],
      ['user_email', 'ada@example.com'],
      ['refresh_token', 'refresh-2'],
      ['expires_at', new Date((nowSeconds + 3600) * 1000).toISOString()],
    ]);
  },
);

test('a server that gives no new refresh token means the old one', async () => {
  const { path, source } = await sourceOver(credentialsFor(0), async () => ({ accessToken: next }));
  await source();
  expect((await loadCredentials(path))?.refreshToken).toBe('refresh-1');
});

test('a token that is no JWT is renewed by what the server said of it', async () => {
  const opaque = { apiToken: 'opaque', expiresAt: new Date((nowSeconds + 61) * 1000) };
  expect(await (await sourceOver(credentialsFor(0, opaque))).source()).toBe('opaque');
  const late = { ...opaque, expiresAt: new Date((nowSeconds + 30) * 1000) };
  expect(await (await sourceOver(credentialsFor(0, late))).source()).toBe(next);
});

test('many calls at once renew once', async () => {
  const { source, sent } = await sourceOver(credentialsFor(0));
  expect(new Set(await Promise.all(Array.from({ length: 30 }, source)))).toEqual(new Set([next]));
  expect(sent).toHaveLength(1);
});

test('what another process has written counts at once', async () => {
  const { path, source, sent } = await sourceOver(credentialsFor(3600));
  await source();
  await saveCredentials(path, credentialsFor(7200));
  expect(await source()).toBe(credentialsFor(7200).apiToken);
  expect(sent).toEqual([]);
});

test('a server that cannot be reached does not matter while the token is good', async () => {
  const failure = new Error('no network');
  const early = await sourceOver(credentialsFor(30), () => Promise.reject(failure));
  expect(await early.source()).toBe(credentialsFor(30).apiToken);
  const late = await sourceOver(credentialsFor(-1), () => Promise.reject(failure));
  await expect(late.source()).rejects.toBe(failure);
  // The next call may succeed: the refresh token is still there.
  expect((await loadCredentials(late.path))?.refreshToken).toBe('refresh-1');
});

test('a refresh token that is refused is forgotten, and the login is over when its token is', async () => {
  const refused = await sourceOver(credentialsFor(-1), async () => undefined);
  for (const _ of [1, 2]) {
    await expect(refused.source()).rejects.toMatchObject({ code: 'SP_CREDENTIALS_EXPIRED', path: refused.path });
  }
  expect(refused.sent).toHaveLength(1);
  const early = await sourceOver(credentialsFor(30), async () => undefined);
  expect(await early.source()).toBe(credentialsFor(30).apiToken);
});

test('a login without a refresh token lasts until its token expires', async () => {
  const good = await sourceOver(credentialsFor(1, { refreshToken: undefined }));
  expect(await good.source()).toBe(credentialsFor(1).apiToken);
  const over = await sourceOver(credentialsFor(-1, { refreshToken: undefined }));
  await expect(over.source()).rejects.toMatchObject({ code: 'SP_CREDENTIALS_EXPIRED' });
  expect([...good.sent, ...over.sent]).toEqual([]);
});

test('a file that is gone or damaged is named', async () => {
  const { path, source } = await sourceOver(credentialsFor(0));
  await writeFile(path, '{ damaged the-secret');
  const error = await source().catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'SP_CREDENTIALS_CORRUPTED', path });
  expect(inspect(error, { depth: 9 })).not.toContain('the-secret');
  await deleteCredentials(path);
  await expect(source()).rejects.toMatchObject({ code: 'SP_TOKEN_NOT_LOGGED_IN', path });
});

test('a login without a refresh token does not keep that of the login before', async () => {
  const { path } = await sourceOver(credentialsFor(3600));
  await saveCredentials(path, credentialsFor(3600, { refreshToken: undefined, userEmail: 'eve@example.com' }));
  expect(await readFile(path, 'utf8')).not.toContain('refresh');
});

test('a damaged refresh token is as good as none', async () => {
  const { path } = await sourceOver(credentialsFor(3600));
  const stored = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...stored, refresh_token: ['x'], expires_at: 'soon' }));
  expect(await loadCredentials(path)).toEqual(credentialsFor(3600, { refreshToken: undefined }));
});

let entry = '';
beforeAll(async () => {
  entry = await buildForChildren('token-source');
});

test('50 processes that renew at once leave everybody logged in, and no token is used twice', async () => {
  await using server = await startRefreshServer();
  const path = await tempFile('credentials.json');
  const { firstRefreshToken: refreshToken } = server;
  await saveCredentials(path, { ...credentialsFor(0), apiToken: tokenWith({ exp: 1 }), refreshToken });
  const children = Array.from({ length: 50 }, () =>
    run(process.execPath, [fixture('use-token.mjs'), entry, path, server.url]),
  );
  const statuses = (await Promise.all(children)).map(({ stdout }) => stdout);
  expect(statuses).toEqual(Array.from({ length: 50 }, () => '200'));
  expect({ refreshes: server.refreshes, reuses: server.reuses }).toEqual({ refreshes: 1, reuses: 0 });
});
