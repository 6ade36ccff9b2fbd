import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { Store, Transaction } from '../store/database.ts';
import { tenantEvents, tenants } from '../store/schema.ts';
import type { TenantState } from './state.ts';

/** One step of a tenant's life, as it is kept and sent. */
export interface StoredEvent {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly checkoutSessionId: string | null;
  /** Counts up from 1 within the tenant, without gaps. */
  readonly sequence: number;
  readonly eventType: string;
  /** The tenant's state after the event. */
  readonly status: string;
  readonly message: string | null;
  readonly appUrl: string | null;
  readonly flyAppName: string | null;
  readonly occurredAt: Date;
}

/** The channel on which a tenant's id is sent when it has a new event. */
export const eventChannel = 'tenant_events';

/**
 * Appends an event, and sets the tenant's new state with it, in the caller's transaction. The tenant's row stays locked
 * until the transaction ends: numbers become visible in order.
 */
export async function appendEvent(
  tx: Transaction,
  request: {
    readonly tenantId: string;
    readonly eventType: string;
    /** The new state; without it the state stays. */
    readonly state?: TenantState | undefined;
    readonly message?: string | undefined;
    readonly appUrl?: string | undefined;
    /** For steps that may be repeated: when there is an event of this type already, it is returned and nothing changes. */
    readonly once?: boolean | undefined;
  },
): Promise<StoredEvent> {
  const { tenantId, eventType, state, message = null, appUrl = null, once = false } = request;
  const [locked] = await tx.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tenantId)).for('update');
  if (locked === undefined) throw new Error(`No tenant ${tenantId}`);
  if (once) {
    const [existing] = await selectEvents(tx)
      .where(and(eq(tenantEvents.tenantId, tenantId), eq(tenantEvents.eventType, eventType)))
      .limit(1);
    if (existing !== undefined) return existing;
  }
  const [tenant] = await tx
    .update(tenants)
    .set({
      eventSequence: sql`${tenants.eventSequence} + 1`,
      updatedAt: sql`now()`,
      ...(state === undefined ? {} : { state }),
    })
    .where(eq(tenants.id, tenantId))
    .returning();
  if (tenant === undefined) throw new Error(`No tenant ${tenantId}`);
  const event = { tenantId, sequence: tenant.eventSequence, eventType, status: tenant.state, message, appUrl };
  const [inserted] = await tx.insert(tenantEvents).values(event).returning({ occurredAt: tenantEvents.createdAt });
  // Delivered at commit, never before.
  await tx.execute(sql`select pg_notify(${eventChannel}, ${tenantId})`);
  return {
    ...event,
    tenantName: tenant.name,
    checkoutSessionId: tenant.checkoutSessionId,
    flyAppName: tenant.appName,
    occurredAt: inserted?.occurredAt ?? new Date(),
  };
}

/** A tenant's events after a number, in order. */
export async function listEvents(
  store: Store,
  request: { readonly tenantId: string; readonly after: number; readonly limit: number },
): Promise<StoredEvent[]> {
  return await selectEvents(store.db)
    .where(and(eq(tenantEvents.tenantId, request.tenantId), gt(tenantEvents.sequence, request.after)))
    .orderBy(asc(tenantEvents.sequence))
    .limit(request.limit);
}

function selectEvents(db: Pick<Store['db'], 'select'>) {
  return db
    .select({
      tenantId: tenantEvents.tenantId,
      tenantName: tenants.name,
      checkoutSessionId: tenants.checkoutSessionId,
      sequence: tenantEvents.sequence,
      eventType: tenantEvents.eventType,
      status: tenantEvents.status,
      message: tenantEvents.message,
      appUrl: tenantEvents.appUrl,
      flyAppName: tenants.appName,
      occurredAt: tenantEvents.createdAt,
    })
    .from(tenantEvents)
    .innerJoin(tenants, eq(tenants.id, tenantEvents.tenantId))
    .$dynamic();
}
