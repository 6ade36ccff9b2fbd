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
import { isUnpaid } from '../tenants/unpaid.ts';
import type { WorkflowContext } from './workflow-context.ts';

/** Runs, or could. */
const serving: readonly string[] = ['running', 'awaiting_deploy'];
/** Has nothing that runs. */
const idle: readonly string[] = ['suspended', 'provision_failed', 'deleting'];
const ended: readonly string[] = ['paused', 'canceled'];

/** After one that failed, the same is not begun again for so long; after each further one for twice as long. */
const pauseMs = 60_000;
const longestPauseMs = 60 * 60_000;
/** Of so many operations before it is asked how they ended. */
const looksBack = 10;

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
    const before = await listOperations(tx, tenantId);
    const kind = dueKind(tenant, { last: before[0], now });
    if (kind === undefined) return undefined;
    const failures = countFailures(before, kind);
    if (failedJustNow(before[0], { failures, now })) return undefined;
    const { id } = await insertOperation(tx, { tenant, kind });
    // Told once, however often it has to be tried.
    if (kind !== 'delete') await announce(tx, { tenant, kind, isNews: failures === 0 });
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

const reasons: Readonly<Record<string, string>> = {
  past_due: 'A payment is overdue.',
  paused: 'The subscription is paused.',
  canceled: 'The subscription has ended.',
};

async function announce(
  tx: Transaction,
  request: { readonly tenant: TenantRow; readonly kind: 'suspend' | 'resume'; readonly isNews: boolean },
): Promise<void> {
  const { tenant, kind, isNews } = request;
  const tenantId = tenant.id;
  const reason = reasons[tenant.subscriptionStatus ?? ''] ?? 'The tenant is not paid for.';
  if (kind === 'suspend') {
    await tx.update(tenants).set({ failure: reason, updatedAt: sql`now()` }).where(eq(tenants.id, tenantId));
  }
  if (!isNews) return;
  const message = kind === 'suspend' ? `Suspended: ${reason}` : 'The tenant is paid for again and starts.';
  await appendEvent(tx, { tenantId, eventType: 'vm_provisioning_progress', message });
}

/** What was done to the tenant last, the newest first. */
async function listOperations(tx: Transaction, tenantId: string): Promise<readonly OperationRow[]> {
  return await tx
    .select()
    .from(tenantOperations)
    .where(eq(tenantOperations.tenantId, tenantId))
    .orderBy(desc(tenantOperations.createdAt))
    .limit(looksBack);
}

/** How often in a row the same has failed. */
function countFailures(before: readonly OperationRow[], kind: DueKind): number {
  const other = before.findIndex((operation) => operation.kind !== kind || operation.status !== 'failed');
  return other === -1 ? before.length : other;
}

function failedJustNow(
  last: OperationRow | undefined,
  { failures, now }: { readonly failures: number; readonly now: number },
): boolean {
  if (failures === 0 || last?.finishedAt === null || last === undefined) return false;
  return now - last.finishedAt.getTime() < Math.min(pauseMs * 2 ** (failures - 1), longestPauseMs);
}
