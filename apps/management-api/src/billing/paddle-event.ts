import * as z from 'zod/mini';
import { ApiFailure } from '../http/errors.ts';

/** A webhook of the payment provider, as far as it is used; the rest is kept as it came. */
export interface PaddleEvent {
  readonly eventId: string;
  readonly eventType: string;
  readonly occurredAt: Date;
  readonly data: unknown;
  /** The whole body. */
  readonly payload: unknown;
}

/** What an event says about the purchase that began a subscription. */
export interface Purchase {
  readonly subscriptionId: string;
  readonly transactionId: string | undefined;
  readonly checkoutSessionId: string | undefined;
  readonly userId: string | undefined;
  /** The prices that were bought. */
  readonly priceIds: readonly string[];
}

/** What an event says about how a subscription is. */
export interface SubscriptionFacts {
  readonly status: string | undefined;
  /** End of what has been paid for, where the provider still says it. */
  readonly paidUntil: Date | undefined;
  /** Why a transaction was made; of a subscription nothing. */
  readonly origin: string | undefined;
}

// Snake case stays here: this is the provider's wire format and not ours.
const eventSchema = z.object({
  event_id: z.string().check(z.minLength(1), z.maxLength(128)),
  event_type: z.string().check(z.minLength(1), z.maxLength(128)),
  occurred_at: z.string(),
  data: z.unknown(),
});

const markerSchema = z.object({ checkout_session_id: z.nullish(z.string()), user_id: z.nullish(z.string()) });

const itemsSchema = z.array(z.object({ price: z.nullish(z.object({ id: z.string() })) }));

const createdSchema = z.object({
  id: z.string(),
  transaction_id: z.nullish(z.string()),
  custom_data: z.nullish(markerSchema),
  items: z.nullish(itemsSchema),
});

const transactionSchema = z.object({
  id: z.string(),
  subscription_id: z.string(),
  custom_data: z.nullish(markerSchema),
  items: z.nullish(itemsSchema),
});

const factsSchema = z.object({
  status: z.nullish(z.string()),
  current_billing_period: z.nullish(z.object({ ends_at: z.nullish(z.string()) })),
  origin: z.nullish(z.string()),
});

/**
 * Reads a webhook whose signature was good.
 * @throws {ApiFailure} invalid_request
 */
export function parsePaddleEvent(body: Uint8Array): PaddleEvent {
  const event = readPaddleEvent(parseJson(body));
  if (event === undefined) throw invalidEvent();
  return event;
}

/** An event of its whole body, parsed; `undefined` when it is none. */
export function readPaddleEvent(payload: unknown): PaddleEvent | undefined {
  const event = eventSchema.safeParse(payload);
  const occurredAt = readMoment(event.data?.occurred_at);
  if (!event.success || occurredAt === undefined || hasLongId(event.data.data)) return undefined;
  return { eventId: event.data.event_id, eventType: event.data.event_type, occurredAt, data: event.data.data, payload };
}

/**
 * The purchase that an event tells of: `subscription.created`, or the `transaction.completed` that may come before it.
 * Of other events `undefined`.
 */
export function parsePurchase({ eventType, data }: PaddleEvent): Purchase | undefined {
  if (eventType === 'subscription.created') {
    const created = createdSchema.safeParse(data);
    if (!created.success) return undefined;
    const { id: subscriptionId, transaction_id: transactionId, custom_data: marker, items } = created.data;
    return describePurchase({ subscriptionId, transactionId, marker, items });
  }
  if (eventType === 'transaction.completed') {
    const completed = transactionSchema.safeParse(data);
    if (!completed.success) return undefined;
    const { subscription_id: subscriptionId, id: transactionId, custom_data: marker, items } = completed.data;
    return describePurchase({ subscriptionId, transactionId, marker, items });
  }
  return undefined;
}

/** What the `data` of an event says; nothing when it is not understood. */
export function parseSubscriptionFacts(data: unknown): SubscriptionFacts {
  const facts = factsSchema.safeParse(data).data;
  return {
    status: facts?.status ?? undefined,
    paidUntil: readMoment(facts?.current_billing_period?.ends_at),
    origin: facts?.origin ?? undefined,
  };
}

/** Whether an id by which events are found again is longer than an index has room for. */
function hasLongId(data: unknown): boolean {
  const { id, subscription_id: subscriptionId } = (data ?? {}) as Readonly<Record<string, unknown>>;
  return [id, subscriptionId].some((value) => (JSON.stringify(value) ?? '').length > 256);
}

/** A moment that a database can keep: JavaScript knows a hundred times as many. */
function readMoment(text: string | null | undefined): Date | undefined {
  const moment = new Date(text ?? Number.NaN);
  const year = moment.getUTCFullYear();
  return year >= 1970 && year <= 9999 ? moment : undefined;
}

function describePurchase(purchase: {
  readonly subscriptionId: string;
  readonly transactionId: string | null | undefined;
  readonly marker: z.infer<typeof markerSchema> | null | undefined;
  readonly items: z.infer<typeof itemsSchema> | null | undefined;
}): Purchase {
  const { subscriptionId, transactionId, marker, items } = purchase;
  return {
    subscriptionId,
    transactionId: transactionId ?? undefined,
    checkoutSessionId: marker?.checkout_session_id ?? undefined,
    userId: marker?.user_id ?? undefined,
    priceIds: (items ?? []).flatMap(({ price }) => price?.id ?? []),
  };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return storable(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)));
  } catch {
    throw invalidEvent();
  }
}

// What a customer typed can be in it, and a database keeps not every character that JSON can have.
function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/[\0\p{Surrogate}]/gu, '\uFFFD');
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [storable(key), storable(member)]));
}

function invalidEvent(): ApiFailure {
  return new ApiFailure('body: is not a webhook event.', { status: 400, code: 'invalid_request' });
}
