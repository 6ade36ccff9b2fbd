import type { ProvisioningEvent } from '@sp/cloud-api/contract';
import { and, eq } from 'drizzle-orm';
import type { Attachment, EventSink, NumberedEvent } from '../http/event-stream.ts';
import { tenantEvents } from '../store/schema.ts';
import type { Follower } from '../tenants/event-feed.ts';
import type { StoredEvent } from '../tenants/events.ts';
import type { TenantRow } from '../tenants/tenants.ts';
import type { RouteDeps } from './deps.ts';

/** A tenant's event with its number, and what only some streams show of it. */
export interface FollowedEvent extends ProvisioningEvent {
  readonly sequence: number;
  readonly tenantName: string;
}

/**
 * A tenant's events after a number, until one of `lastTypes`. One that is followed by others already (number below
 * `head`) ends nothing: a stream that replays the first deploy goes on to the second.
 */
export async function* followTenant(
  deps: Pick<RouteDeps, 'feed'>,
  options: {
    readonly tenantId: string;
    readonly after: number;
    readonly head: number;
    readonly lastTypes: ReadonlySet<string>;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<FollowedEvent> {
  const { tenantId, after, head, lastTypes, signal } = options;
  for await (const stored of deps.feed.follow(tenantId, { after, signal })) {
    if (isOverruled(stored, head)) continue;
    yield describe(stored);
    if (isLast(stored, { head, lastTypes })) return;
  }
}

/**
 * Attaches a stream to a tenant's events after a number; of each event all streams are given the same object.
 */
export function createTenantStreams({ feed }: Pick<RouteDeps, 'feed'>): (
  sink: EventSink<ProvisioningEvent>,
  options: {
    readonly tenantId: string;
    readonly after: number;
    readonly head: number;
    readonly lastTypes: ReadonlySet<string>;
  },
) => Attachment {
  const shown = new WeakMap<StoredEvent, NumberedEvent<ProvisioningEvent>>();
  const show = (stored: StoredEvent): NumberedEvent<ProvisioningEvent> => {
    const known = shown.get(stored);
    if (known !== undefined) return known;
    const { sequence, tenantName: _, ...event } = describe(stored);
    const made = { sequence, event };
    shown.set(stored, made);
    return made;
  };
  return (sink, { tenantId, after, head, lastTypes }) => {
    const follower: Follower = {
      after,
      take: (events) => {
        const last = events.find((stored) => isLast(stored, { head, lastTypes }));
        const wanted = events.filter(
          (stored) => !isOverruled(stored, head) && !(last && stored.sequence > last.sequence),
        );
        const more = sink.send(wanted.map(show));
        if (last !== undefined) sink.end();
        return more && last === undefined;
      },
      end: (error) => sink.end(error),
    };
    feed.join(tenantId, follower);
    return { resume: () => feed.join(tenantId, follower), leave: () => feed.leave(tenantId, follower) };
  };
}

/** A failure that was tried again since is no news, and clients would take it for the end. */
function isOverruled({ eventType, sequence }: StoredEvent, head: number): boolean {
  return eventType === 'provisioning_failed' && sequence < head;
}

function isLast(
  { eventType, sequence }: StoredEvent,
  { head, lastTypes }: { readonly head: number; readonly lastTypes: ReadonlySet<string> },
): boolean {
  return lastTypes.has(eventType) && sequence >= head;
}

function describe(stored: StoredEvent): FollowedEvent {
  return {
    sequence: stored.sequence,
    tenantId: stored.tenantId,
    tenantName: stored.tenantName,
    eventType: stored.eventType,
    status: stored.status,
    occurredAt: stored.occurredAt.toISOString(),
    message: stored.message ?? undefined,
    appUrl: stored.appUrl ?? undefined,
    flyAppName: stored.flyAppName ?? undefined,
  };
}

/** Whether a client that has the events up to `after` has them all, and nothing is going on that makes new ones. */
export async function isEnded(
  deps: Pick<RouteDeps, 'store'>,
  options: { readonly tenant: TenantRow; readonly after: number; readonly lastTypes: ReadonlySet<string> },
): Promise<boolean> {
  const { tenant, after, lastTypes } = options;
  if (after === 0 || after < tenant.eventSequence) return false;
  if (tenant.state === 'provisioning' || tenant.state === 'deploying') return false;
  const last = await deps.store.db.query.tenantEvents.findFirst({
    columns: { eventType: true },
    where: and(eq(tenantEvents.tenantId, tenant.id), eq(tenantEvents.sequence, tenant.eventSequence)),
  });
  return last !== undefined && lastTypes.has(last.eventType);
}
