import { and, DrizzleQueryError, eq, ne, sql } from 'drizzle-orm';
import { ApiFailure } from '../http/errors.ts';
import type { Effect } from '../http/idempotency.ts';
import type { Store } from '../store/database.ts';
import { tenants } from '../store/schema.ts';
import { appendEvent } from './events.ts';
import { lockTenant, refuseIfBusy } from './operations.ts';
import { nextState } from './state.ts';
import type { TenantRow } from './tenants.ts';
import { isUnpaid } from './unpaid.ts';

/** What an owner may change of a tenant. */
export interface TenantChanges {
  readonly name?: string | undefined;
  readonly memoryMb?: number | undefined;
  readonly externalDbAccess?: boolean | undefined;
}

/**
 * Changes a tenant and raises its version.
 * @throws {ApiFailure} precondition_failed when the version is not `ifVersion`; tenant_name_taken; memory_exceeds_plan
 */
export async function updateTenant(
  store: Store,
  request: {
    readonly tenantId: string;
    readonly changes: TenantChanges;
    readonly ifVersion?: readonly number[] | undefined;
    /** The most memory that the tenant's plan has, in MiB. */
    readonly maxMemoryMb: number;
    /** Keeps that it was changed. */
    readonly effect?: Pick<Effect, 'keep'> | undefined;
    /**
     * Ends access from outside, when it is switched off: before the row says so, and while its lock is held. It must not
     * use the store.
     */
    readonly endExternalAccess?: ((tenant: TenantRow) => Promise<void>) | undefined;
  },
): Promise<TenantRow> {
  const { tenantId, changes, ifVersion, maxMemoryMb } = request;
  return await store.db.transaction(async (tx) => {
    const tenant = await lockTenant(tx, tenantId);
    if (ifVersion !== undefined && !ifVersion.includes(tenant.version)) {
      throw new ApiFailure(`The tenant is at version ${tenant.version} by now.`, {
        status: 412,
        code: 'precondition_failed',
        headers: { etag: `"${tenant.version}"` },
      });
    }
    await refuseIfBusy(tx, tenant);
    const { name = tenant.name, memoryMb = tenant.memoryMb, externalDbAccess = tenant.externalDbAccess } = changes;
    if (memoryMb > maxMemoryMb) {
      throw new ApiFailure(`memory_mb: the plan has ${maxMemoryMb} at most.`, {
        status: 400,
        code: 'memory_exceeds_plan',
      });
    }
    if (name !== tenant.name) {
      const [other] = await tx
        .select({ id: tenants.id })
        .from(tenants)
        .where(and(eq(tenants.ownerId, tenant.ownerId), eq(tenants.name, name), ne(tenants.state, 'deleted')));
      if (other !== undefined) throw nameTaken(name);
    }
    const same = name === tenant.name && memoryMb === tenant.memoryMb && externalDbAccess === tenant.externalDbAccess;
    if (same) return tenant;
    const [changed] = await tx
      .update(tenants)
      .set({ name, memoryMb, externalDbAccess, version: tenant.version + 1, updatedAt: sql`now()` })
      .where(eq(tenants.id, tenantId))
      .returning()
      // Another tenant got the name between the look and the change.
      .catch((error: unknown) => {
        throw isDuplicate(error) ? nameTaken(name) : error;
      });
    if (changed === undefined) throw new Error(`No tenant ${tenantId}`);
    await request.effect?.keep(tx, true);
    if (tenant.externalDbAccess && !externalDbAccess) await request.endExternalAccess?.(changed);
    return changed;
  });
}

/**
 * Puts a tenant that could not be made back into `provisioning`.
 * @throws {TenantStateConflict} when it was made, or is being made
 * @throws {ApiFailure} tenant_state_conflict when nobody pays for it any more
 */
export async function retryProvisioning(
  store: Store,
  tenantId: string,
  /** Keeps that it is tried again. */
  options: { readonly effect?: Pick<Effect, 'keep'> | undefined } = {},
): Promise<void> {
  await store.db.transaction(async (tx) => {
    const tenant = await lockTenant(tx, tenantId);
    await refuseIfBusy(tx, tenant);
    const state = nextState(tenant.state, 'provisioning_retried');
    // What was given back, or has ended, would be made only to be suspended at once.
    if (isUnpaid(tenant, Date.now())) {
      const message = `The tenant is not paid for any more: its subscription is ${tenant.subscriptionStatus}.`;
      throw new ApiFailure(message, { status: 409, code: 'tenant_state_conflict' });
    }
    await tx.update(tenants).set({ failure: null }).where(eq(tenants.id, tenantId));
    // Whoever follows the events learns that the failure was not the end.
    await appendEvent(tx, {
      tenantId,
      eventType: 'vm_provisioning_progress',
      state,
      message: 'Provisioning is tried again',
    });
    await options.effect?.keep(tx, true);
  });
}

function isDuplicate(error: unknown): boolean {
  const cause = error instanceof DrizzleQueryError ? error.cause : undefined;
  return cause !== undefined && 'code' in cause && cause.code === '23505';
}

function nameTaken(name: string): ApiFailure {
  return new ApiFailure(`name: you already have a tenant named ${name}.`, { status: 409, code: 'tenant_name_taken' });
}
