import { type PaddleEvent, parseSubscriptionFacts } from './paddle-event.ts';

const day = 24 * 60 * 60_000;

/** How long people are waited for. */
export interface SubscriptionTerms {
  /** From a payment that failed until the tenant is suspended, in milliseconds. @defaultValue 7 days */
  readonly graceMs?: number | undefined;
  /** From the end of a subscription until the tenant's data is deleted, in milliseconds. @defaultValue 30 days */
  readonly retentionMs?: number | undefined;
}

/** How a subscription stands, and what follows from it for its tenant. */
export interface SubscriptionStanding {
  /** `active`, `trialing`, `past_due`, `paused` or `canceled`. */
  readonly status: string;
  /** From then on the tenant is not paid for; absent while it is. */
  readonly suspendAt: Date | undefined;
  /** From then on its data is not kept any more. */
  readonly deleteAt: Date | undefined;
}

type Fact = Pick<PaddleEvent, 'eventId' | 'eventType' | 'occurredAt' | 'data'>;

/** What events say by their names; the others say it by the status that they carry. */
const implied: Readonly<Record<string, string>> = {
  'subscription.activated': 'active',
  'subscription.trialing': 'trialing',
  'subscription.past_due': 'past_due',
  'subscription.paused': 'paused',
  'subscription.resumed': 'active',
  'subscription.canceled': 'canceled',
};

/** Of two events of the same moment the one that says more comes later. */
const ranks: readonly string[] = ['active', 'trialing', 'past_due', 'paused', 'canceled'];

/**
 * How a subscription stands after its events, in whatever order they are given: the newest by `occurred_at` counts, and
 * nothing follows the end. `undefined`: they say nothing.
 */
export function standingOf(events: Iterable<Fact>, terms: SubscriptionTerms = {}): SubscriptionStanding | undefined {
  const { graceMs = 7 * day, retentionMs = 30 * day } = terms;
  let standing: SubscriptionStanding | undefined;
  for (const change of inOrder(events)) {
    const { status, occurredAt, paidUntil } = change;
    if (status === 'paid' && standing?.status !== 'past_due') continue;
    switch (status) {
      case 'canceled': {
        const suspendAt = new Date(Math.max(occurredAt.getTime(), paidUntil?.getTime() ?? 0));
        return { status, suspendAt, deleteAt: new Date(suspendAt.getTime() + retentionMs) };
      }
      case 'paused':
        standing = { status, suspendAt: occurredAt, deleteAt: undefined };
        break;
      case 'past_due':
        // Further attempts to get the same money do not begin the grace period again.
        standing =
          standing?.status === status
            ? standing
            : { status, suspendAt: new Date(occurredAt.getTime() + graceMs), deleteAt: undefined };
        break;
      default:
        standing = { status: status === 'paid' ? 'active' : status, suspendAt: undefined, deleteAt: undefined };
    }
  }
  return standing;
}

interface Change {
  readonly status: string;
  readonly occurredAt: Date;
  readonly paidUntil: Date | undefined;
  readonly eventId: string;
}

function inOrder(events: Iterable<Fact>): Change[] {
  const changes: Change[] = [];
  for (const event of events) {
    const status = statusOf(event);
    if (status === undefined) continue;
    const { occurredAt, eventId } = event;
    changes.push({ status, occurredAt, eventId, paidUntil: parseSubscriptionFacts(event.data).paidUntil });
  }
  return changes.sort(
    (a, b) =>
      a.occurredAt.getTime() - b.occurredAt.getTime() ||
      ranks.indexOf(a.status) - ranks.indexOf(b.status) ||
      (a.eventId < b.eventId ? -1 : 1),
  );
}

/** `paid`: a debt was paid, which an open transaction says and no status. */
function statusOf({ eventType, data }: Fact): string | undefined {
  const { status, origin } = parseSubscriptionFacts(data);
  if (eventType === 'transaction.completed') {
    // A new card is also a transaction, of nothing.
    return origin === 'subscription_payment_method_change' ? undefined : 'paid';
  }
  if (!eventType.startsWith('subscription.')) return undefined;
  const said = implied[eventType] ?? status;
  return said !== undefined && ranks.includes(said) ? said : undefined;
}
