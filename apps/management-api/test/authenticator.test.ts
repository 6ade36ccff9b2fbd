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

test('what happens to one user is forgotten of that user alone, and a full memory forgets the oldest', async () => {
  const notices = createNotices();
  notices.listening();
  const expiresAt = new Date(Date.now() + 3_600_000);
  const verify = async (token: string) => {
    const [userId = ''] = token.split(' ');
    return { userId, email: `${userId}@example.com`, sessionId: 's', expiresAt };
  };
  const store = { notices } as Parameters<typeof createAuthenticator>[0]['store'];
  const authenticator = createAuthenticator({ store, tokens: { verify } });
  const remembered = (...tokens: string[]) => tokens.filter((token) => authenticator.recall(token) !== undefined);
  for (const token of ['ada 1', 'ada 2', 'ada 2', 'grace 1']) await authenticator.verify(token);
  notices.hear('access ada');
  expect(remembered('ada 1', 'ada 2', 'grace 1')).toEqual(['grace 1']);
  await authenticator.verify('ada 3');
  for (let other = 0; other < 9999; other += 1) await authenticator.verify(`other-${other} 1`);
  expect(remembered('grace 1', 'ada 3', 'other-9998 1')).toEqual(['ada 3', 'other-9998 1']);
  notices.hear('access ada');
  expect(remembered('ada 3', 'other-9998 1')).toEqual(['other-9998 1']);
});
