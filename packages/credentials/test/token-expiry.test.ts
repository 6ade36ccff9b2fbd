import { expect, test } from 'vitest';
import {
  decodeTokenExpiry,
  isCredentialsError,
  isTokenExpired,
  redactToken,
  tokenExpiresWithin,
  tokenStatus,
} from '../src/index.ts';
import { tokenWith } from './tokens.ts';

const now = (): number => 1_700_000_000_999;
const seconds = 1_700_000_000;

test.each([
  tokenWith({ exp: 5 }),
  tokenWith({ exp: 5, sub: 'ü', other: [{}] }),
  `.${tokenWith({ exp: 5 }).split('.')[1]}.`,
  `!.${tokenWith({ exp: 5 }).split('.')[1]}.!`,
])('the expiry of %s is read, whatever the other parts are', (token) => {
  expect(decodeTokenExpiry(token)).toBe(5);
});

const payload = Buffer.from('{"exp":5}').toString('base64url');
test.each([
  { why: 'empty', token: '' },
  { why: 'one part', token: payload },
  { why: 'two parts', token: `a.${payload}` },
  { why: 'four parts', token: `a.${payload}.b.c` },
  { why: 'an empty payload', token: 'a..b' },
  { why: 'padding', token: `a.${Buffer.from('{"exp":55}').toString('base64')}.b` },
  {
    why: 'the alphabet of base64',
    token: `a.${Buffer.from('{"exp":5,"a":"~~~???"}').toString('base64').replace(/=+$/, '')}.b`,
  },
  { why: 'non-zero trailing bits', token: `a.${Buffer.from('{"exp":55}').toString('base64url').replace(/.$/, 'R')}.b` },
  { why: 'white space', token: `a. ${payload}.b` },
  { why: 'a line end', token: `a.${payload}\n.b` },
  { why: 'no JSON', token: `a.${Buffer.from('exp=5').toString('base64url')}.b` },
  { why: 'broken UTF-8', token: `a.${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]).toString('base64url')}.b` },
  { why: 'no object', token: tokenWith([5]) },
  { why: 'null', token: tokenWith(null) },
  { why: 'no exp', token: tokenWith({ sub: 'x' }) },
  { why: 'exp as a text', token: tokenWith({ exp: '5' }) },
  { why: 'a fraction', token: tokenWith({ exp: 5.5 }) },
  { why: 'exp beyond 64 bits', token: tokenWith({ exp: 1e300 }) },
])('a token with $why is undecodable and counts as expired', ({ token }) => {
  let error: unknown;
  try {
    decodeTokenExpiry(token);
  } catch (caught) {
    error = caught;
  }
  expect(isCredentialsError(error)).toBe(true);
  expect(error).toMatchObject({ code: 'SP_CREDENTIALS_TOKEN_UNDECODABLE' });
  expect(isTokenExpired(token)).toBe(true);
  expect(tokenExpiresWithin(token, 0)).toBe(true);
  expect(tokenStatus(token)).toBe('expired');
});

test.each([
  { exp: seconds - 1, expired: true, within: true, status: 'expired' },
  { exp: seconds, expired: false, within: true, status: 'expires-soon' },
  { exp: seconds + 3599, expired: false, within: true, status: 'expires-soon' },
  { exp: seconds + 3600, expired: false, within: false, status: 'valid' },
])('at second $exp: expired $expired, within the hour $within, $status', ({ exp, expired, within, status }) => {
  const token = tokenWith({ exp });
  expect(isTokenExpired(token, { now })).toBe(expired);
  expect(tokenExpiresWithin(token, 3600.9, { now })).toBe(within);
  expect(tokenStatus(token, { now })).toBe(status);
});

test('the real clock is the default', () => {
  expect(tokenStatus(tokenWith({ exp: Math.floor(Date.now() / 1000) + 86_400 }))).toBe('valid');
  expect(tokenStatus(tokenWith({ exp: 1 }))).toBe('expired');
});

test.each([
  ['', ''],
  ['abc', '***'],
  ['12345678', '********'],
  ['1234567890123456', '********'],
  ['12345678901234567', '12345678...4567'],
  ['eyJhbGciOi.payload.signature', 'eyJhbGci...ture'],
])('%j is logged as %j', (token, expected) => {
  expect(redactToken(token)).toBe(expected);
});
