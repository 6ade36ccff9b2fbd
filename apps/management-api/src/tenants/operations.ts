import { randomUUID } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import type { Effect } from '../http/idempotency.ts';
import type { Store, Transaction } from '../store/database.ts';
import { releases, tenantOperations, tenants } from '../store/schema.ts';
import { nextState, type TenantTrigger } from './state.ts';
import type { TenantRow } from './tenants.ts';

/** Something that is done to a tenant, other than a deploy. */
export type OperationRow = typeof tenantOperations.$inferSelect;

/** What an operation does. */
export type OperationKind = OperationRow['kind'];

/** Something else is being done to the tenant. */
export class TenantBusy extends Error {
  override readonly name = 'TenantBusy';
  /** `provision`, `deploy` or the kind of an operation. */
  readonly what: string;
  readonly since: Date;

  constructor(facts: { readonly what: string; readonly since: Date }) {
    super(`The tenant is busy with ${facts.what} since ${facts.since.toISOString()}`);
    this.what = facts.what;
    this.since = facts.since;
  }
}

const triggers: Readonly<Record<OperationKind, TenantTrigger>> = {
  restart: 'restarted',
  rotate_credentials: 'rotation_started',
  rotate_sync_token: 'rotation_started',
  suspend: 'suspended',
  resume: 'resumption_started',
  delete: 'deletion_started',
};

/** Every kind that there is. */
export const operationKinds = Object.keys(triggers) as readonly OperationKind[];

/**
 * Opens an operation, and puts the tenant into the state that goes with it.
 * @throws {TenantBusy} while something else is being done to the tenant
 * @throws {TenantStateConflict} when the tenant's state does not allow it
 */
export async function openOperation(
  store: Store,
  request: {
    readonly tenantId: string;
    readonly kind: OperationKind;
    /** Keeps the operation's id. */
    readonly effect?: Pick<Effect, 'keep'> | undefined;
  },
): Promise<OperationRow> {
  return await store.db.transaction(async (tx) => {
    const tenant = await lockTenant(tx, request.tenantId);
    await refuseIfBusy(tx, tenant);
    const operation = await insertOperation(tx, { tenant, kind: request.kind });
    await request.effect?.keep(tx, operation.id);
    return operation;
  });
}

/** Opens the operation of a tenant that {@link lockTenant} has locked and that is not busy. */
export async function insertOperation(
  tx: Transaction,
  request: { readonly tenant: TenantRow; readonly kind: OperationKind },
): Promise<OperationRow> {
  const { tenant, kind } = request;
  const state = nextState(tenant.state, triggers[kind]);
  const [operation] = await tx
    .insert(tenantOperations)
    .values({ id: randomUUID(), tenantId: tenant.id, kind })
    .returning();
  if (operation === undefined) throw new Error(`No operation of tenant ${tenant.id}`);
  await tx.update(tenants).set({ state, failure: null, updatedAt: sql`now()` }).where(eq(tenants.id, tenant.id));
  return operation;
}

/** @throws {TenantBusy} while something is being done to the tenant; call it with the tenant's row locked */
export async function refuseIfBusy(tx: Transaction, tenant: TenantRow): Promise<void> {
  const open = await findOpenOperation(tx, tenant.id);
  if (open !== undefined) throw new TenantBusy({ what: open.kind, since: open.createdAt });
  const [release] = await tx
    .select()
    .from(releases)
    .where(and(eq(releases.tenantId, tenant.id), eq(releases.status, 'deploying')));
  if (release !== undefined) throw new TenantBusy({ what: 'deploy', since: release.createdAt });
  if (tenant.state === 'provisioning') throw new TenantBusy({ what: 'provision', since: tenant.updatedAt });
}

/** What is being done to the tenant now, deploys aside. */
export async function findOpenOperation(
  db: Pick<Store['db'], 'select'>,
  tenantId: string,
): Promise<OperationRow | undefined> {
  const [open] = await db
    .select()
    .from(tenantOperations)
    .where(and(eq(tenantOperations.tenantId, tenantId), eq(tenantOperations.status, 'open')));
  return open;
}

/** The tenant, locked until the transaction ends. */
export async function lockTenant(tx: Transaction, tenantId: string): Promise<TenantRow> {
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId)).for('update');
  if (tenant === undefined) throw new Error(`No tenant ${tenantId}`);
  return tenant;
}

/** Closes an operation; with `failure` as one that did not succeed. Repeating it changes nothing. */
export async function closeOperation(
  tx: Pick<Transaction, 'update'>,
  request: { readonly id: string; readonly failure?: string | undefined },
): Promise<void> {
  const { id, failure } = request;
  await tx
    .update(tenantOperations)
    .set({ status: failure === undefined ? 'done' : 'failed', failure: failure ?? null, finishedAt: sql`now()` })
    .where(and(eq(tenantOperations.id, id), eq(tenantOperations.status, 'open')));
}
