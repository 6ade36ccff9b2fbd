import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { standingOf } from '../src/billing/subscription-standing.ts';

const day = 24 * 60 * 60_000;
const start = Date.UTC(2026, 0, 1);
const at = (days: number): Date => new Date(start + days * day);

function event(name: string, days: number, data: object = {}) {
  const eventType = name === 'paid' ? 'transaction.completed' : `subscription.${name}`;
  return { eventId: `evt_${name}_${days}`, eventType, occurredAt: at(days), data };
}

test.each([
  ['what was created says its status', [event('created', 0, { status: 'trialing' })], 'trialing', undefined, undefined],
  ['a debt has a grace period', [event('activated', 0), event('past_due', 30)], 'past_due', 37, undefined],
  ['further attempts do not prolong it', [event('past_due', 30), event('past_due', 33)], 'past_due', 37, undefined],
  ['a debt that was paid is none', [event('past_due', 30), event('paid', 31)], 'active', undefined, undefined],
  [
    'nor is one of a subscription that is active',
    [event('past_due', 30), event('updated', 31, { status: 'active' })],
    'active',
    undefined,
    undefined,
  ],
  [
    'a second debt has a grace period of its own',
    [event('past_due', 30), event('paid', 31), event('past_due', 60)],
    'past_due',
    67,
    undefined,
  ],
  [
    'a new card pays nothing',
    [event('past_due', 30), event('paid', 31, { origin: 'subscription_payment_method_change' })],
    'past_due',
    37,
    undefined,
  ],
  ['a pause holds at once', [event('activated', 0), event('paused', 10)], 'paused', 10, undefined],
  ['money does not end a pause', [event('paused', 10), event('paid', 11)], 'paused', 10, undefined],
  ['what goes on is active', [event('paused', 10), event('resumed', 20)], 'active', undefined, undefined],
  [
    'the end is now',
    [event('activated', 0), event('canceled', 10, { current_billing_period: null })],
    'canceled',
    10,
    40,
  ],
  [
    'or when what was paid for ends',
    [event('canceled', 10, { current_billing_period: { ends_at: at(31).toISOString() } })],
    'canceled',
    31,
    61,
  ],
  ['nothing follows the end', [event('canceled', 10), event('activated', 20), event('paid', 21)], 'canceled', 10, 40],
  [
    'of one moment the graver counts',
    [event('canceled', 5), event('paused', 5), event('activated', 5)],
    'canceled',
    5,
    35,
  ],
])('%s', (_, events, status, suspend, remove) => {
  const expected = {
    status,
    suspendAt: suspend === undefined ? undefined : at(suspend),
    deleteAt: remove === undefined ? undefined : at(remove),
  };
  expect(standingOf(events)).toEqual(expected);
  expect(standingOf(events.toReversed())).toEqual(expected);
});

test('events that say nothing change nothing', () => {
  expect(
    standingOf([event('updated', 1, { status: 'frozen' }), event('imported', 2), event('updated', 3)]),
  ).toBeUndefined();
  expect(standingOf([event('paid', 1)])).toBeUndefined();
});

test('the periods are the operator’s', () => {
  const terms = { graceMs: day, retentionMs: 2 * day };
  expect(standingOf([event('past_due', 1)], terms)?.suspendAt).toEqual(at(2));
  expect(standingOf([event('canceled', 1)], terms)?.deleteAt).toEqual(at(3));
});

test('neither order nor repetition changes the result', () => {
  const names = fc.constantFrom('created', 'activated', 'past_due', 'paused', 'resumed', 'canceled', 'paid');
  const history = fc
    .array(fc.tuple(names, fc.integer({ min: 0, max: 6 })), { maxLength: 12 })
    .map((items) => items.map(([name, days], index) => ({ ...event(name, days), eventId: `evt_${index}` })));
  const deliveries = history.chain((events) =>
    fc.tuple(
      fc.constant(events),
      fc.shuffledSubarray([...events, ...events], { minLength: 2 * events.length, maxLength: 2 * events.length }),
    ),
  );
  fc.assert(
    fc.property(deliveries, ([events, delivered]) => {
      const unique = [...new Map(delivered.map((item) => [item.eventId, item])).values()];
      expect(standingOf(unique)).toEqual(standingOf(events));
    }),
  );
});
