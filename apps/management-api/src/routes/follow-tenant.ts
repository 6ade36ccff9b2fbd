import type { ProvisioningEvent } from '@sp/cloud-api/contract';
import { and, eq } from 'drizzle-orm';
import { tenantEvents } from '../store/schema.ts';
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
    // A failure that was tried again since is no news, and clients would take it for the end.
    if (stored.eventType === 'provisioning_failed' && stored.sequence < head) continue;
    yield {
      sequence: stored.sequence,
      tenantId: stored.tenantId,
      tenantName: stored.tenantName,
      eventType: stored.eventType,
      status: stored.status,
      message: stored.message ?? undefined,
      appUrl: stored.appUrl ?? undefined,
      flyAppName: stored.flyAppName ?? undefined,
    };
    if (lastTypes.has(stored.eventType) && stored.sequence >= head) return;
  }
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
