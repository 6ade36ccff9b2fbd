import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeTokenExpiry,
  isCredentialsError,
  isTokenExpired,
  loadCredentials,
  loadSession,
  loadSessionStore,
  saveCredentials,
  saveSession,
  saveSessionStore,
  tokenStatus,
} from '../src/index.ts';
import { readTokenFromStream } from '../src/login.ts';
import { tempFile } from './temp-file.ts';
import { tokenWith } from './tokens.ts';

const credentials = {
  api_token: tokenWith({ exp: 4_000_000_000 }),
  api_url: 'https://api.example',
  authenticated_at: '2026-11-21T10:11:12Z',
  user_email: 'ada@example.com',
  refresh_token: 'refresh-1',
  expires_at: '2026-11-21T11:11:12Z',
};
const session = {
  version: 4,
  tenant_key: 't-1',
  profile_name: 'production',
  session_token: 'token',
  session_id: 's',
  context_id: 'c',
  user_id: 'u',
  user_email: 'ada@example.com',
  user_type: 'admin',
  created_at: '2026-11-21T10:00:00Z',
  expires_at: '2026-11-22T10:00:00Z',
  last_used: '2026-11-21T10:00:00Z',
};
const store = {
  version: 1,
  sessions: { 'tenant_t-1': session },
  active_key: 'tenant_t-1',
  active_profile_name: 'production',
  updated_at: '2026-11-21T10:00:00Z',
};

/** Any text, any JSON, and the file with damage: cut off, a member replaced, or hostile members added. */
function damaged(file: object): fc.Arbitrary<string> {
  const text = JSON.stringify(file);
  return fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.nat(text.length).map((end) => text.slice(0, end)),
    fc
      .tuple(fc.constantFrom(...Object.keys(file)), fc.jsonValue())
      .map(([key, value]) => JSON.stringify({ ...file, [key]: value })),
    fc
      .tuple(fc.constantFrom('__proto__', 'constructor', 'toString', 'sessions'), fc.json())
      .map(([key, value]) => `${text.slice(0, -1)},"${key}":${value}}`),
    fc.nat(20_000).map((depth) => '['.repeat(depth)),
  );
}

test.each([
  { name: 'credentials.json', file: credentials, load: loadCredentials, save: saveCredentials },
  { name: 'session.json', file: session, load: loadSession, save: saveSession },
  { name: 'index.json', file: store, load: loadSessionStore, save: saveSessionStore },
] as {
  name: string;
  file: object;
  load(path: string): Promise<unknown>;
  save(path: string, value: unknown): Promise<void>;
}[])(
  '$name in any state is loaded, and comes back after a save, or is a named error',
  async ({ name, file, load, save }) => {
    const path = await tempFile(name);
    await mkdir(dirname(path), { recursive: true });
    let good = 0;
    await fc.assert(
      fc.asyncProperty(damaged(file), async (text) => {
        await writeFile(path, text);
        try {
          const value = await load(path);
          await save(path, value);
          expect(await load(path)).toEqual(value);
          good += 1;
        } catch (error) {
          if (!isCredentialsError(error)) throw error;
          expect(error).toMatchObject({ path, message: expect.stringContaining(path) });
          expect(error.message).not.toContain('\n');
        }
        expect(Object.prototype).not.toHaveProperty('polluted');
      }),
      {
        numRuns: 300,
        examples: [[JSON.stringify(file)], [`${JSON.stringify(file).slice(0, -1)},"__proto__":{"polluted":1}}`]],
      },
    );
    // Not everything was refused.
    expect(good).toBeGreaterThan(1);
  },
  60_000,
);

test('whatever is no token says so, and counts as expired', () => {
  const segment = fc.oneof(
    fc.base64String(),
    fc.string(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.tuple(segment, segment, segment).map((parts) => parts.join('.')),
      ),
      (token) => {
        try {
          expect(Number.isInteger(decodeTokenExpiry(token))).toBe(true);
        } catch (error) {
          if (!isCredentialsError(error)) throw error;
          expect(error.code).toBe('SP_CREDENTIALS_TOKEN_UNDECODABLE');
          expect([isTokenExpired(token), tokenStatus(token)]).toEqual([true, 'expired']);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('the expiry of any token is the one that is in it', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.dictionary(fc.string(), fc.jsonValue()), (exp, others) => {
      expect(decodeTokenExpiry(tokenWith({ ...others, exp }))).toBe(exp);
    }),
  );
});

test('any bytes that are piped in are one word or a named error', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 64 })), async (chunks) => {
      const stream = (async function* () {
        yield* chunks;
      })();
      try {
        expect(await readTokenFromStream(stream)).toMatch(/^[\x21-\x7e]+$/);
      } catch (error) {
        if (!isCredentialsError(error)) throw error;
        expect(error.code).toBe('SP_LOGIN_NO_TOKEN');
      }
    }),
  );
});
