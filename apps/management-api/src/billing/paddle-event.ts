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

/** What an event about a subscription says. */
export interface Subscription {
  readonly subscriptionId: string;
  /** Only `subscription.created` has it. */
  readonly transactionId: string | undefined;
  readonly checkoutSessionId: string | undefined;
  readonly userId: string | undefined;
}

// Snake case stays here: this is the provider's wire format and not ours.
const eventSchema = z.object({
  event_id: z.string().check(z.minLength(1), z.maxLength(128)),
  event_type: z.string().check(z.minLength(1), z.maxLength(128)),
  occurred_at: z.string(),
  data: z.unknown(),
});

const subscriptionSchema = z.object({
  id: z.string(),
  transaction_id: z.nullish(z.string()),
  custom_data: z.nullish(z.object({ checkout_session_id: z.nullish(z.string()), user_id: z.nullish(z.string()) })),
});

/**
 * Reads a webhook whose signature was good.
 * @throws {ApiFailure} invalid_request
 */
export function parsePaddleEvent(body: Uint8Array): PaddleEvent {
  const payload = parseJson(body);
  const event = eventSchema.safeParse(payload);
  const occurredAt = new Date(event.data?.occurred_at ?? Number.NaN);
  if (!event.success || Number.isNaN(occurredAt.getTime())) throw invalidEvent();
  return { eventId: event.data.event_id, eventType: event.data.event_type, occurredAt, data: event.data.data, payload };
}

/** Reads the `data` of an event about a subscription; `undefined` when it is something else. */
export function parseSubscription(data: unknown): Subscription | undefined {
  const subscription = subscriptionSchema.safeParse(data);
  if (!subscription.success) return undefined;
  const { id, transaction_id: transactionId, custom_data: marker } = subscription.data;
  return {
    subscriptionId: id,
    transactionId: transactionId ?? undefined,
    checkoutSessionId: marker?.checkout_session_id ?? undefined,
    userId: marker?.user_id ?? undefined,
  };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw invalidEvent();
  }
}

function invalidEvent(): ApiFailure {
  return new ApiFailure('body: is not a webhook event.', { status: 400, code: 'invalid_request' });
}
