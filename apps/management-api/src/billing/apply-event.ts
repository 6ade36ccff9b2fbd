import type { Plan } from '@sp/cloud-api/contract';
import { and, eq, ne, sql } from 'drizzle-orm';
import { createAuditLog } from '../audit/audit-log.ts';
import type { Store, Transaction } from '../store/database.ts';
import { checkoutSessions, tenants, webhookEvents } from '../store/schema.ts';
import { appendEvent } from '../tenants/events.ts';
import { createPaidTenant, type TenantRow } from '../tenants/tenants.ts';
import { type PaddleEvent, type Purchase, parsePurchase, readPaddleEvent } from './paddle-event.ts';
import { subscribedPlan } from './subscribed-plan.ts';
import { type SubscriptionStanding, type SubscriptionTerms, standingOf } from './subscription-standing.ts';

/** What came of a webhook. */
export type AppliedEvent =
  /** It is about these tenants; `provisioning`: those of them that are not there yet. */
  | { readonly outcome: 'applied'; readonly tenantIds: readonly string[]; readonly provisioning: readonly string[] }
  /** Nothing follows from it, or not yet. */
  | { readonly outcome: 'stored' }
  /** Somebody paid for a checkout that is not in our books: for a person to look at. */
  | { readonly outcome: 'unmatched' };

/** What {@link applyEvent} needs. */
export interface ApplyDeps {
  readonly store: Store;
  readonly hostname: (name: string, suffix: string, appName: string) => string;
  readonly terms?: SubscriptionTerms | undefined;
}

/**
 * Writes into the books what follows from a webhook that is stored: the tenant that was paid for, and until when it is.
 * That is worked out from all events of the subscription, so neither their order nor a repetition changes it.
 */
export async function applyEvent(deps: ApplyDeps, event: PaddleEvent): Promise<AppliedEvent> {
  return deps.store.db.transaction(async (tx) => {
    const subscriptionId = await lockSubscription(tx, event.eventId);
    if (subscriptionId === undefined) return { outcome: 'stored' };
    let known = await settleStanding(tx, { store: deps.store, subscriptionId, terms: deps.terms });
    const purchase = parsePurchase(event);
    if (known.length === 0 && purchase !== undefined) {
      const paid = await applyPurchase(tx, { deps, purchase });
      if (paid === undefined) return { outcome: 'unmatched' };
      // What was told of the subscription before it had a tenant.
      if (paid === 'new') known = await settleStanding(tx, { store: deps.store, subscriptionId, terms: deps.terms });
    }
    if (known.length === 0) return { outcome: 'stored' };
    const provisioning = known.filter(({ state }) => state === 'provisioning');
    return { outcome: 'applied', tenantIds: known.map(({ id }) => id), provisioning: provisioning.map(({ id }) => id) };
  });
}

/** Webhooks about the same subscription follow each other, also before there is a row to lock. */
async function lockSubscription(tx: Transaction, eventId: string): Promise<string | undefined> {
  const [row] = await tx
    .select({ subscriptionId: webhookEvents.subscriptionId })
    .from(webhookEvents)
    .where(eq(webhookEvents.eventId, eventId));
  const subscriptionId = row?.subscriptionId ?? undefined;
  if (subscriptionId === undefined) return undefined;
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`subscription|${subscriptionId}`}, 0))`);
  return subscriptionId;
}

/** Writes how a subscription stands, and what it is for, into its tenants; a tenant that is gone is no matter. */
async function settleStanding(
  tx: Transaction,
  request: {
    readonly store: Store;
    readonly subscriptionId: string;
    readonly terms: SubscriptionTerms | undefined;
  },
): Promise<readonly TenantRow[]> {
  const { store, subscriptionId, terms } = request;
  const rows = await tx
    .select()
    .from(tenants)
    .where(and(eq(tenants.subscriptionId, subscriptionId), ne(tenants.state, 'deleted')))
    .for('update');
  if (rows.length === 0) return [];
  const events = await tx
    .select({ payload: webhookEvents.payload })
    .from(webhookEvents)
    .where(eq(webhookEvents.subscriptionId, subscriptionId));
  const told = events.flatMap(({ payload }) => readPaddleEvent(payload) ?? []);
  const standing = standingOf(told, terms);
  const plan = subscribedPlan(told);
  for (const tenant of rows) {
    if (standing !== undefined) await writeStanding(tx, { tenant, standing });
    if (plan !== undefined && plan.id !== tenant.planId) await writePlan(tx, { store, tenant, plan });
  }
  return rows;
}

async function writeStanding(
  tx: Transaction,
  { tenant, standing }: { readonly tenant: TenantRow; readonly standing: SubscriptionStanding },
): Promise<void> {
  const { status, suspendAt = null, deleteAt = null } = standing;
  if (
    tenant.subscriptionStatus === status &&
    isSame(tenant.suspendAt, suspendAt) &&
    isSame(tenant.deleteAt, deleteAt)
  ) {
    return;
  }
  await tx
    .update(tenants)
    .set({ subscriptionStatus: status, suspendAt, deleteAt, updatedAt: sql`now()` })
    .where(eq(tenants.id, tenant.id));
  const message = tenant.subscriptionStatus === status ? undefined : warning(standing);
  if (message !== undefined) {
    await appendEvent(tx, { tenantId: tenant.id, eventType: 'vm_provisioning_progress', message });
  }
}

/**
 * Gives a tenant another plan: its machine has the memory and the volume of it from its next start on. What the owner had
 * chosen within the plan of before does not hold any more. A volume never shrinks: it holds data.
 */
async function writePlan(
  tx: Transaction,
  { store, tenant, plan }: { readonly store: Store; readonly tenant: TenantRow; readonly plan: Plan },
): Promise<void> {
  const { id: tenantId, version } = tenant;
  const memoryMb = plan.memoryMbDefault;
  const volumeGb = Math.max(tenant.volumeGb, plan.volumeGb);
  await tx
    .update(tenants)
    .set({ planId: plan.id, memoryMb, volumeGb, version: version + 1, updatedAt: sql`now()` })
    .where(eq(tenants.id, tenantId));
  const has = `${memoryMb} MB of memory and a volume of ${volumeGb} GB`;
  const message = `The plan is ${plan.name} now: the machine has ${has} from its next start on.`;
  await appendEvent(tx, { tenantId, eventType: 'vm_provisioning_progress', message });
  const audit = createAuditLog({ store });
  const action = 'subscription.change_plan';
  await audit.append(tenantId, { actorKind: 'billing', action, outcome: 'succeeded' }, { tx });
}

/** What the owner is told before anything happens; suspension and what follows it have events of their own. */
function warning({ status, suspendAt }: SubscriptionStanding): string | undefined {
  if (status !== 'past_due' || suspendAt === undefined) return undefined;
  const date = suspendAt.toISOString().slice(0, 10);
  return `A payment has failed: the tenant is suspended on ${date} unless it is paid until then.`;
}

/** Makes the tenant of a purchase; `undefined` when it is none of ours, or was made for another subscription. */
async function applyPurchase(
  tx: Transaction,
  request: { readonly deps: ApplyDeps; readonly purchase: Purchase },
): Promise<'new' | 'gone' | undefined> {
  const { deps, purchase } = request;
  const { subscriptionId } = purchase;
  const session = await lockSession(tx, purchase);
  if (session === undefined) return undefined;
  if (session.tenantId !== null) {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, session.tenantId));
    // Deleted since: told again, long after.
    return tenant?.subscriptionId === subscriptionId ? 'gone' : undefined;
  }
  if (session.plan === null) return undefined;
  const tenant = await createPaidTenant(tx, {
    ownerId: session.userId,
    name: session.tenantName,
    region: session.region,
    plan: session.plan,
    subscriptionId,
    checkoutSessionId: session.id,
    hostname: deps.hostname,
  });
  await tx.update(checkoutSessions).set({ tenantId: tenant.id }).where(eq(checkoutSessions.id, session.id));
  return 'new';
}

type Session = typeof checkoutSessions.$inferSelect;

/** The checkout of a purchase, locked. Markers can be written by anybody with a browser: what was bought decides. */
async function lockSession(tx: Transaction, purchase: Purchase): Promise<Session | undefined> {
  const { checkoutSessionId, transactionId, userId, priceIds } = purchase;
  // The marker of a payment can be lost when somebody edits the transaction by hand.
  const match =
    checkoutSessionId === undefined
      ? eq(checkoutSessions.transactionId, transactionId ?? '')
      : eq(checkoutSessions.id, checkoutSessionId);
  const [session] = await tx.select().from(checkoutSessions).where(match).for('update');
  if (session === undefined || (userId !== undefined && userId !== session.userId)) return undefined;
  // A renewal has a transaction of its own; its tenant is there since the first one.
  const sameTransaction = transactionId === undefined || transactionId === session.transactionId;
  const samePrice = priceIds.length === 0 || priceIds.includes(session.priceId);
  return session.tenantId !== null || (sameTransaction && samePrice) ? session : undefined;
}

function isSame(a: Date | null, b: Date | null): boolean {
  return a?.getTime() === b?.getTime();
}
