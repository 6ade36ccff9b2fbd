import { expect, test } from 'vitest';
import { isMaskedDatabaseUrl, maskDatabaseUrl } from '../src/index.ts';

test.each([
  ['postgres://ada:secret@db.test:5432/site', 'postgres://ada:***@db.test:5432/site'],
  ['postgres://ada:se:cr@et@db.test/site?sslmode=require', 'postgres://ada:***@db.test/site?sslmode=require'],
  ['ada:secret@db.test', 'ada:***@db.test'],
  ['postgres://ada:@db.test/site', 'postgres://ada:***@db.test/site'],
  ['postgres://ada@db.test:5432/site', 'postgres://ada@db.test:5432/site'],
  ['postgres://db.test:5432/site', 'postgres://db.test:5432/site'],
  ['postgres://ada:pass?word@db.test/site', 'postgres://ada:***@db.test/site'],
  ['not a url', 'not a url'],
])('%s is masked', (url, masked) => {
  expect(maskDatabaseUrl(url)).toBe(masked);
});

test('masks are recognised', () => {
  expect(isMaskedDatabaseUrl('postgres://ada:***@db/site')).toBe(true);
  expect(isMaskedDatabaseUrl('postgres://ada:********@db/site')).toBe(true);
  expect(isMaskedDatabaseUrl('postgres://ada:secret@db/site')).toBe(false);
});
