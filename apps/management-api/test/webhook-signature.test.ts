import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { signWebhook, verifyWebhook } from '../src/billing/webhook-signature.ts';

const body = Buffer.from('{"event_id":"evt_1"}');
const secret = 'pdl_ntfset_1';
const at = 1_800_000_000_000;
const header = signWebhook(body, { secret, now: () => at });
const check = (options: Partial<Parameters<typeof verifyWebhook>[1]>, bytes: Uint8Array = body) =>
  verifyWebhook(bytes, { header, secrets: [secret], now: () => at, ...options });

test('the signature is HMAC-SHA256 over the time, a colon and the bytes', () => {
  const expected = createHmac('sha256', secret).update(`1800000000:${body}`).digest('hex');
  expect(header).toBe(`ts=1800000000;h1=${expected}`);
  expect(check({})).toBe(true);
});

test('changed bytes, another secret and no signature are refused', () => {
  expect(check({}, Buffer.from('{"event_id":"evt_2"}'))).toBe(false);
  expect(check({ secrets: ['pdl_ntfset_2'] })).toBe(false);
  expect(check({ secrets: [] })).toBe(false);
  for (const bad of [null, '', 'junk', 'ts=1800000000', 'h1=00', `ts=x;${header.split(';')[1]}`]) {
    expect(check({ header: bad })).toBe(false);
  }
});

test('the time is part of what is signed', () => {
  expect(check({ header: header.replace('ts=1800000000', 'ts=1800000001') })).toBe(false);
});

test('old and future signatures are refused outside of the tolerance', () => {
  expect(check({ now: () => at + 299_000 })).toBe(true);
  expect(check({ now: () => at + 301_000 })).toBe(false);
  expect(check({ now: () => at - 301_000 })).toBe(false);
  expect(check({ now: () => at + 6_000, toleranceSeconds: 5 })).toBe(false);
});

test('either side can change its secret: every h1 is tried with every secret', () => {
  const other = signWebhook(body, { secret: 'new', now: () => at }).split(';')[1];
  expect(check({ header: `${header};${other}`, secrets: ['new'] })).toBe(true);
  expect(check({ header: `ts=1800000000;${other};${header.split(';')[1]}` })).toBe(true);
  expect(check({ secrets: ['new', secret] })).toBe(true);
});
