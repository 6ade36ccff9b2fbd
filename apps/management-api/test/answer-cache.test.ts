import { expect, test } from 'vitest';
import { createAnswerCache } from '../src/http/answer-cache.ts';
import { createNotices } from '../src/store/notices.ts';

// The rules by themselves; `kept-answers.test.ts` has them with a database.

function listeningCache(options: Omit<Parameters<typeof createAnswerCache>[0], 'notices'> = {}) {
  const notices = createNotices();
  const deaf = notices.listening();
  return { notices, deaf, cache: createAnswerCache({ notices, ...options }) };
}

const answer = (body: string) => ({ body, etag: undefined });

test('what was read before a change is not kept after it', () => {
  const { notices, cache } = listeningCache();
  const early = cache.begin('ada');
  notices.hear('tenants ada');
  early?.keep('list', answer('old'));
  expect(cache.find('ada', 'list')).toBeUndefined();
  // Nor by the side of one that began after it.
  const late = cache.begin('ada');
  early?.keep('status', answer('old'));
  late?.keep('list', answer('new'));
  expect(cache.find('ada', 'list')).toEqual(answer('new'));
  expect(cache.find('ada', 'status')).toBeUndefined();
});

test('a change takes out what is kept of its user, and nobody else’s', () => {
  const { notices, cache } = listeningCache();
  for (const user of ['ada', 'eve']) cache.begin(user)?.keep('list', answer(user));
  notices.hear('access ada');
  expect(cache.find('ada', 'list')).toEqual(answer('ada'));
  notices.hear('tenants ada');
  expect(cache.find('ada', 'list')).toBeUndefined();
  expect(cache.find('eve', 'list')).toEqual(answer('eve'));
  cache.drop('eve');
  expect(cache.find('eve', 'list')).toBeUndefined();
});

test('nothing is kept while nobody listens, nor over a time in which nobody did', () => {
  const { notices, deaf, cache } = listeningCache();
  cache.begin('ada')?.keep('list', answer('before'));
  const begun = cache.begin('ada');
  deaf();
  expect(cache.find('ada', 'list')).toBeUndefined();
  expect(cache.begin('ada')).toBeUndefined();
  notices.listening();
  begun?.keep('list', answer('over'));
  expect(cache.find('ada', 'list')).toBeUndefined();
  cache.begin('ada')?.keep('list', answer('after'));
  expect(cache.find('ada', 'list')).toEqual(answer('after'));
});

test('a notice that is not understood may be about anything', () => {
  const { notices, cache } = listeningCache();
  cache.begin('ada')?.keep('list', answer('1'));
  notices.hear('something-newer ada');
  expect(cache.find('ada', 'list')).toBeUndefined();
});

test('keeps for a time, for so many, and so much', () => {
  let now = 0;
  const { cache } = listeningCache({ now: () => now, maxAgeMs: 100, maxUsers: 3, maxBytes: 100_000 });
  const keep = (user: string, body = user): void => cache.begin(user)?.keep('list', answer(body));
  keep('first');
  now = 50;
  // What is added later ends with the first: it has the age of the oldest.
  cache.begin('first')?.keep('status', answer('running'));
  expect(cache.find('first', 'status')).toEqual(answer('running'));
  now = 100;
  expect(cache.find('first', 'status')).toBeUndefined();
  for (const user of ['a', 'b', 'c', 'd']) keep(user);
  expect(['a', 'b', 'c', 'd'].map((user) => cache.find(user, 'list')?.body)).toEqual([undefined, 'b', 'c', 'd']);
  keep('e', 'x'.repeat(45_000));
  expect(['b', 'c', 'd', 'e'].map((user) => cache.find(user, 'list') !== undefined)).toEqual([false, true, true, true]);
  keep('f', 'x'.repeat(10_000));
  expect(['e', 'f'].map((user) => cache.find(user, 'list') !== undefined)).toEqual([false, true]);
  // More than there is room for is not kept, and leaves nothing behind.
  keep('g', 'x'.repeat(60_000));
  expect(cache.find('g', 'list')).toBeUndefined();
  keep('h');
  expect(cache.find('h', 'list')).toBeDefined();
});

test('from its end on nothing is kept, for no change is heard', () => {
  const stop = new AbortController();
  const { cache } = listeningCache({ signal: stop.signal });
  cache.begin('ada')?.keep('list', answer('1'));
  const begun = cache.begin('ada');
  stop.abort();
  begun?.keep('status', answer('2'));
  expect([cache.find('ada', 'list'), cache.find('ada', 'status'), cache.begin('ada')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
