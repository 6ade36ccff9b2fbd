import { expect, test } from 'vitest';
import { createNotices } from '../src/store/notices.ts';
import { createAuthenticator } from '../src/tokens/authenticator.ts';

test('from its end on no token is answered for from memory', async () => {
  const notices = createNotices();
  notices.listening();
  const stop = new AbortController();
  const expiresAt = new Date(Date.now() + 3_600_000);
  let asked = 0;
  const verify = async () => {
    asked += 1;
    return { userId: 'ada', email: 'ada@example.com', sessionId: 's', expiresAt };
  };
  const store = { notices } as Parameters<typeof createAuthenticator>[0]['store'];
  const authenticator = createAuthenticator({ store, tokens: { verify }, signal: stop.signal });
  await authenticator.verify('token');
  expect(authenticator.recall('token')).toMatchObject({ id: 'ada' });
  stop.abort();
  expect(authenticator.recall('token')).toBeUndefined();
  await authenticator.verify('token');
  expect(authenticator.recall('token')).toBeUndefined();
  expect(asked).toBe(2);
});
