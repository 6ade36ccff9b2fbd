import { randomUUID } from 'node:crypto';
import type { Plan } from '@sp/cloud-api/contract';
import { and, asc, eq, ne, sql } from 'drizzle-orm';
import type { Store, Transaction } from '../store/database.ts';
import { tenants, users } from '../store/schema.ts';
import { appendEvent } from './events.ts';
import { nextState } from './state.ts';

/** A tenant as it is stored. */
export type TenantRow = typeof tenants.$inferSelect;

const uuidPattern = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * Makes the tenant that a payment was for, in state `provisioning`; a repeated call for the same checkout session
 * returns the same tenant. A name that the owner uses already gets a number: what was paid for is not refused.
 */
export async function createPaidTenant(
  tx: Transaction,
  request: {
    readonly ownerId: string;
    readonly name: string;
    readonly region: string;
    readonly plan: Plan;
    readonly subscriptionId: string;
    readonly checkoutSessionId: string;
    /** The tenant's host name, from its name and a suffix that makes it unique; some providers name it after the app. */
    hostname(name: string, suffix: string, appName: string): string;
  },
): Promise<TenantRow> {
  const { ownerId, plan, checkoutSessionId } = request;
  // One purchase of a person at a time: the look-ups below stay true until the insert.
  await tx.select({ id: users.id }).from(users).where(eq(users.id, ownerId)).for('update');
  const [existing] = await tx.select().from(tenants).where(eq(tenants.checkoutSessionId, checkoutSessionId));
  if (existing !== undefined) return existing;

  const id = randomUUID();
  const marker = id.replaceAll('-', '').slice(0, 12);
  const name = await freeName(tx, { ownerId, name: request.name });
  await tx.insert(tenants).values({
    id,
    ownerId,
    name,
    state: nextState('pending_payment', 'paid'),
    region: request.region,
    planId: plan.id,
    memoryMb: plan.memoryMbDefault,
    volumeGb: plan.volumeGb,
    subscriptionId: request.subscriptionId,
    subscriptionStatus: 'active',
    checkoutSessionId,
    appName: `sp-${marker}`,
    hostname: request.hostname(name, marker.slice(0, 6), `sp-${marker}`),
    databaseName: `sp_${marker}`,
  });
  await appendEvent(tx, { tenantId: id, eventType: 'subscription_created' });
  await appendEvent(tx, { tenantId: id, eventType: 'tenant_created' });
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, id));
  if (tenant === undefined) throw new Error(`No tenant ${id}`);
  return tenant;
}

/** Whether a tenant is this owner's, or was until it was deleted. */
export async function hasOwnedTenant(
  store: Store,
  { id, ownerId }: { readonly id: string; readonly ownerId: string },
): Promise<boolean> {
  if (!uuidPattern.test(id)) return false;
  const own = and(eq(tenants.id, id), eq(tenants.ownerId, ownerId));
  return (await store.db.select({ id: tenants.id }).from(tenants).where(own)).length > 0;
}

/** A tenant of this owner. Another's, a deleted one and something that is no id are all the same: not there. */
export async function findOwnedTenant(
  store: Store,
  request: { readonly id: string; readonly ownerId: string },
): Promise<TenantRow | undefined> {
  if (!uuidPattern.test(request.id)) return undefined;
  const [tenant] = await queriesOf(store).owned.execute(request);
  return tenant;
}

/** The tenants of an owner, oldest first, without the deleted. */
export async function listOwnedTenants(store: Store, ownerId: string): Promise<TenantRow[]> {
  return await queriesOf(store).ofOwner.execute({ ownerId });
}

const prepared = new WeakMap<Store, ReturnType<typeof prepare>>();

/** What nearly every request asks: built once, and planned once by each connection. */
function queriesOf(store: Store): ReturnType<typeof prepare> {
  const known = prepared.get(store) ?? prepare(store);
  prepared.set(store, known);
  return known;
}

function prepare({ db }: Store) {
  const ofOwner = and(eq(tenants.ownerId, sql.placeholder('ownerId')), ne(tenants.state, 'deleted'));
  return {
    owned: db
      .select()
      .from(tenants)
      .where(and(eq(tenants.id, sql.placeholder('id')), ofOwner))
      .prepare('sp_owned_tenant'),
    ofOwner: db
      .select()
      .from(tenants)
      .where(ofOwner)
      .orderBy(asc(tenants.createdAt), asc(tenants.id))
      .prepare('sp_tenants_of_owner'),
  };
}

async function freeName(
  tx: Transaction,
  request: { readonly ownerId: string; readonly name: string },
): Promise<string> {
  const rows = await tx
    .select({ name: tenants.name })
    .from(tenants)
    .where(and(eq(tenants.ownerId, request.ownerId), ne(tenants.state, 'deleted')));
  const taken = new Set(rows.map((row) => row.name));
  if (!taken.has(request.name)) return request.name;
  for (let number = 2; ; number += 1) {
    const ending = `-${number}`;
    // Names have at most 40 characters.
    const candidate = `${request.name.slice(0, 40 - ending.length).replace(/-+$/, '')}${ending}`;
    if (!taken.has(candidate)) return candidate;
  }
}
