import { and, desc, eq, inArray, isNotNull, isNull, lte, or, sql } from 'drizzle-orm';
import { createAuditLog } from '../audit/audit-log.ts';
import type { Transaction } from '../store/database.ts';
import { tenantOperations, tenants } from '../store/schema.ts';
import { appendEvent } from '../tenants/events.ts';
import {
  findOpenOperation,
  insertOperation,
  lockTenant,
  type OperationKind,
  type OperationRow,
} from '../tenants/operations.ts';
import type { TenantRow } from '../tenants/tenants.ts';
import type { WorkflowContext } from './workflow-context.ts';

/** Runs, or could. */
const serving: readonly string[] = ['running', 'awaiting_deploy'];
/** Has nothing that runs. */
const idle: readonly string[] = ['suspended', 'provision_failed', 'deleting'];
const ended: readonly string[] = ['paused', 'canceled'];

/** After one that failed, the same is not begun again for so long. */
const pauseMs = 60_000;

const dueKinds = ['suspend', 'resume', 'delete'] as const satisfies readonly OperationKind[];
type DueKind = (typeof dueKinds)[number];

/**
 * Opens what a tenant's subscription asks for now: to suspend it, to start it again, or to delete it. Nothing to do:
 * `undefined`; also while something else is being done to the tenant, which looks here when it is done.
 */
export async function openDueOperation(
  { store }: Pick<WorkflowContext, 'store'>,
  request: { readonly tenantId: string; readonly now?: number | undefined },
): Promise<string | undefined> {
  const { tenantId, now = Date.now() } = request;
  const audit = createAuditLog({ store });
  return await store.db.transaction(async (tx) => {
    const tenant = await lockTenant(tx, tenantId);
    const open = await findOpenOperation(tx, tenantId);
    // Opened by a process that died before it could begin: beginning it twice is beginning it once.
    if (open !== undefined) return isDueKind(open.kind) ? open.id : undefined;
    const last = await findLastOperation(tx, tenantId);
    const kind = dueKind(tenant, { last, now });
    if (kind === undefined || (failedJustNow(last, now) && last?.kind === kind)) return undefined;
    const { id } = await insertOperation(tx, { tenant, kind });
    if (kind !== 'delete') await announce(tx, { tenant, kind });
    const action = `subscription.${kind}`;
    await audit.append(tenantId, { actorKind: 'billing', action, outcome: 'succeeded' }, { tx });
    return id;
  });
}

/** The tenants that {@link openDueOperation} may have something for. */
export async function listDueTenants(
  { store }: Pick<WorkflowContext, 'store'>,
  { now = Date.now() }: { readonly now?: number | undefined } = {},
): Promise<readonly string[]> {
  const { state, subscriptionStatus, suspendAt, deleteAt } = tenants;
  const moment = new Date(now);
  const unpaid = or(lte(suspendAt, moment), and(isNull(suspendAt), inArray(subscriptionStatus, [...ended])));
  const rows = await store.db
    .select({ id: tenants.id })
    .from(tenants)
    .where(
      and(
        isNotNull(subscriptionStatus),
        or(
          and(inArray(state, [...serving]), unpaid),
          eq(state, 'suspended'),
          and(inArray(state, [...idle]), lte(deleteAt, moment)),
        ),
      ),
    );
  return rows.map(({ id }) => id);
}

function isDueKind(kind: OperationKind): kind is DueKind {
  return dueKinds.some((due) => due === kind);
}

function dueKind(
  tenant: TenantRow,
  { last, now }: { readonly last: OperationRow | undefined; readonly now: number },
): DueKind | undefined {
  const { state, deleteAt, subscriptionStatus } = tenant;
  if (subscriptionStatus === null) return undefined;
  if (idle.includes(state) && deleteAt !== null && deleteAt.getTime() <= now) return 'delete';
  const unpaid = isUnpaid(tenant, now);
  if (serving.includes(state)) return unpaid ? 'suspend' : undefined;
  if (state !== 'suspended') return undefined;
  if (!unpaid) return 'resume';
  // Something may run still.
  return last?.kind === 'suspend' && last.status === 'failed' ? 'suspend' : undefined;
}

function isUnpaid({ suspendAt, subscriptionStatus }: TenantRow, now: number): boolean {
  if (suspendAt !== null) return suspendAt.getTime() <= now;
  return ended.includes(subscriptionStatus ?? '');
}

const reasons: Readonly<Record<string, string>> = {
  past_due: 'A payment is overdue.',
  paused: 'The subscription is paused.',
  canceled: 'The subscription has ended.',
};

async function announce(
  tx: Transaction,
  { tenant, kind }: { readonly tenant: TenantRow; readonly kind: 'suspend' | 'resume' },
): Promise<void> {
  const tenantId = tenant.id;
  const reason = reasons[tenant.subscriptionStatus ?? ''] ?? 'The tenant is not paid for.';
  if (kind === 'suspend') {
    await tx.update(tenants).set({ failure: reason, updatedAt: sql`now()` }).where(eq(tenants.id, tenantId));
  }
  const message = kind === 'suspend' ? `Suspended: ${reason}` : 'The tenant is paid for again and starts.';
  await appendEvent(tx, { tenantId, eventType: 'vm_provisioning_progress', message });
}

async function findLastOperation(tx: Transaction, tenantId: string): Promise<OperationRow | undefined> {
  const [last] = await tx
    .select()
    .from(tenantOperations)
    .where(eq(tenantOperations.tenantId, tenantId))
    .orderBy(desc(tenantOperations.createdAt))
    .limit(1);
  return last;
}

function failedJustNow(last: OperationRow | undefined, now: number): boolean {
  return last?.status === 'failed' && last.finishedAt !== null && now - last.finishedAt.getTime() < pauseMs;
}
