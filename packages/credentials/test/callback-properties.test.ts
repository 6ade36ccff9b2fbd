import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCredentialsError } from '../src/index.ts';
import { runOAuthFlow } from '../src/login.ts';

const codes = ['SP_LOGIN_DENIED', 'SP_LOGIN_STATE_MISMATCH', 'SP_LOGIN_NO_TOKEN'];
const members = ['code', 'state', 'access_token', 'error', 'error_description'];
const pairs = fc.array(
  fc.tuple(
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...members) }, { weight: 1, arbitrary: fc.string() }),
    fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.constantFrom('', '\u001b]0;x\u0007', 'x'.repeat(2_000))),
  ),
  { maxLength: 6 },
);

function logIn(query: string): Promise<unknown> {
  const controller = new AbortController();
  return runOAuthFlow({
    provider: 'github',
    getAuthorizeUrl: async ({ redirectUri }) => {
      const page = fetch(`${redirectUri}?${query}`);
      page.then(
        (response) => response.text(),
        () => controller.abort(),
      );
      return 'https://provider.example/authorize';
    },
    exchangeCode: async () => ({ accessToken: 'the-token' }),
    openBrowser: () => undefined,
    signal: controller.signal,
  });
}

test('any callback that does not know the state of the login is one named error of one line', {
  timeout: 180_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(pairs, async (query) => {
      const outcome: unknown = await logIn(new URLSearchParams(query).toString()).catch((error: unknown) => error);
      if (!isCredentialsError(outcome)) throw new Error(`Logged in by ${JSON.stringify(query)}`);
      expect(codes).toContain(outcome.code);
      expect(outcome.message).toMatch(/^[^\p{Cc}\u2028\u2029]{1,700}$/u);
    }),
    { numRuns: 60 },
  );
});
