import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsePaddleEvent, parsePurchase } from '../src/billing/paddle-event.ts';
import { standingOf } from '../src/billing/subscription-standing.ts';
import { verifyWebhook } from '../src/billing/webhook-signature.ts';
import type { Billing } from '../src/ports/billing.ts';

/** A provider, with the people and the calendar that it stands between. */
export interface BillingWorld {
  readonly billing: Billing;
  /** Verifies its webhooks. */
  readonly secret: string;
  /** A price that is for sale. */
  readonly priceId: string;
  /** What was sent to the API so far; waits for what is on its way. */
  received(): Promise<readonly { readonly body: Uint8Array; readonly signature: string | null }[]>;
  pay(transactionId: string): Promise<void>;
  /** What is paid for ends now. */
  endPeriod(subscriptionId: string): Promise<void>;
  stop(): Promise<void>;
}

/** What every billing driver does. */
export function billingSuite(name: string, start: () => Promise<BillingWorld>): void {
  let world: BillingWorld;
  beforeAll(async () => {
    world = await start();
  });
  afterAll(() => world.stop());

  const marker = () => ({ checkout_session_id: `cs_${randomUUID()}`, user_id: randomUUID() });
  const open = (priceId = world.priceId, own = marker()) =>
    world.billing.openTransaction({ priceId, marker: own, successUrl: 'http://127.0.0.1:1/callback' });

  async function eventsAbout(subscriptionId: string) {
    const all = await world.received();
    const events = all.map(({ body }) => parsePaddleEvent(body));
    return events.filter(({ data }) => {
      const { id, subscription_id: owner } = data as { id?: string; subscription_id?: string | null };
      return id === subscriptionId || owner === subscriptionId;
    });
  }

  async function subscribe(): Promise<{ subscriptionId: string }> {
    const { transactionId } = await open();
    await world.pay(transactionId);
    const events = (await world.received()).map(({ body }) => parsePaddleEvent(body));
    const purchase = events.map(parsePurchase).find((found) => found?.transactionId === transactionId);
    if (purchase === undefined) throw new Error('nobody was told of the payment');
    return { subscriptionId: purchase.subscriptionId };
  }

  test(`${name}: what is for sale says what it buys`, async () => {
    const plans = await world.billing.listPlans();
    expect(plans.map(({ paddlePriceId }) => paddlePriceId)).toContain(world.priceId);
    expect(new Set(plans.map(({ id }) => id)).size).toBe(plans.length);
    for (const plan of plans) {
      expect(plan.name).not.toBe('');
      expect(plan.memoryMbDefault).toBeGreaterThan(0);
      expect(plan.volumeGb).toBeGreaterThanOrEqual(0);
    }
  });

  test(`${name}: every transaction has a page of its own`, async () => {
    const [one, two] = [await open(), await open()];
    expect(one.transactionId).not.toBe(two.transactionId);
    for (const { transactionId, checkoutUrl } of [one, two]) {
      expect(transactionId).toMatch(/^txn_\w+$/);
      expect(checkoutUrl).toContain(transactionId);
      expect(URL.canParse(checkoutUrl)).toBe(true);
    }
  });

  test(`${name}: a price that is not for sale is refused by name`, async () => {
    await expect(open('pri_nothing')).rejects.toMatchObject({ code: 'SP_BILLING_REFUSED', failureClass: 'permanent' });
  });

  test(`${name}: a payment is told once, signed, with the marker that was given`, async () => {
    const own = marker();
    const { transactionId } = await open(world.priceId, own);
    await Promise.all([world.pay(transactionId), world.pay(transactionId)]);
    const told = (await world.received()).filter(({ body, signature }) => {
      expect(verifyWebhook(body, { header: signature, secrets: [world.secret] })).toBe(true);
      return parsePurchase(parsePaddleEvent(body))?.transactionId === transactionId;
    });
    const created = told
      .map(({ body }) => parsePaddleEvent(body))
      .filter(({ eventType }) => eventType === 'subscription.created');
    expect(created).toHaveLength(1);
    for (const { body } of told) {
      expect(parsePurchase(parsePaddleEvent(body))).toMatchObject({
        checkoutSessionId: own.checkout_session_id,
        userId: own.user_id,
        priceIds: [world.priceId],
      });
    }
  });

  test(`${name}: a subscription ends at once, and ending it again is no error and no news`, async () => {
    const { subscriptionId } = await subscribe();
    await world.billing.cancelSubscription(subscriptionId);
    const events = await eventsAbout(subscriptionId);
    expect(standingOf(events)).toMatchObject({ status: 'canceled' });
    expect(standingOf(events)?.suspendAt?.getTime()).toBeLessThanOrEqual(Date.now() + 1000);
    await world.billing.cancelSubscription(subscriptionId);
    await world.billing.cancelSubscription(subscriptionId, { when: 'period_end' });
    expect(await eventsAbout(subscriptionId)).toHaveLength(events.length);
  });

  test(`${name}: a subscription ends with what was paid for`, async () => {
    const { subscriptionId } = await subscribe();
    await world.billing.cancelSubscription(subscriptionId, { when: 'period_end' });
    await world.billing.cancelSubscription(subscriptionId, { when: 'period_end' });
    await world.endPeriod(subscriptionId);
    expect(standingOf(await eventsAbout(subscriptionId))).toMatchObject({ status: 'canceled' });
  });

  test(`${name}: who wanted to leave later may leave now`, async () => {
    const { subscriptionId } = await subscribe();
    await world.billing.cancelSubscription(subscriptionId, { when: 'period_end' });
    await world.billing.cancelSubscription(subscriptionId);
    expect(standingOf(await eventsAbout(subscriptionId))).toMatchObject({ status: 'canceled' });
  });

  test(`${name}: what was paid, and how a subscription is, can be looked up`, async () => {
    const { transactionId } = await open();
    expect(await world.billing.findPayment(transactionId)).toBeUndefined();
    expect(await world.billing.findPayment('txn_nobody')).toBeUndefined();
    expect(await world.billing.findSubscription('sub_nobody')).toBeUndefined();
    await world.pay(transactionId);
    const payment = await world.billing.findPayment(transactionId);
    expect(payment).toMatchObject({ paidAt: expect.any(Date) as Date });
    const id = payment?.subscriptionId ?? '';
    expect(await eventsAbout(id)).not.toEqual([]);
    const plan = (await world.billing.listPlans()).find(({ paddlePriceId }) => paddlePriceId === world.priceId);
    expect(await world.billing.findSubscription(id)).toMatchObject({ status: 'active', plan });
    await world.billing.cancelSubscription(id);
    expect(await world.billing.findSubscription(id)).toMatchObject({ status: 'canceled' });
  });

  test(`${name}: the portal is an address for the subscription's owner`, async () => {
    const { subscriptionId } = await subscribe();
    const { url } = await world.billing.createPortalLink(subscriptionId);
    expect(new URL(url).protocol).toMatch(/^https?:$/);
  });

  test(`${name}: of what is not in its books it says so`, async () => {
    const unknown = { code: 'SP_BILLING_NOT_FOUND', failureClass: 'permanent' };
    await expect(world.billing.cancelSubscription('sub_nobody')).rejects.toMatchObject(unknown);
    await expect(world.billing.createPortalLink('sub_nobody')).rejects.toMatchObject(unknown);
  });
}
