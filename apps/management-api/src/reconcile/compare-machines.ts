import { eq } from 'drizzle-orm';
import type { Machine } from '../ports/machines.ts';
import { releases, tenants } from '../store/schema.ts';
import type { TenantRow } from '../tenants/tenants.ts';
import { machineSpec } from '../workflows/machine-spec.ts';
import type { Difference } from './finding.ts';
import { isUnchanged, listQuietTenants } from './quiet-tenants.ts';
import type { ReconcileDeps } from './reconcile.ts';

/** States in which nothing runs. */
const stopped: readonly string[] = ['suspended', 'deleting', 'deleted'];

/** Machines that are not there, that are elsewhere, that should not be, and apps of tenants that were deleted or of nobody. */
export async function* compareMachines(deps: ReconcileDeps): AsyncGenerator<Difference> {
  const { store, machines } = deps;
  const apps = new Set(await machines.listApps());
  for (const tenant of await listQuietTenants(store)) {
    // What is gone needs no second look.
    if (tenant.state === 'deleted' && !apps.has(tenant.appName)) continue;
    yield* compareTenant(deps, tenant);
  }
  // Read after the apps: whoever made one of them was there before it.
  const known = await store.db.select({ id: tenants.id, appName: tenants.appName, state: tenants.state }).from(tenants);
  const owners = new Map(known.map((tenant) => [tenant.appName, tenant]));
  for (const subject of apps) {
    const owner = owners.get(subject);
    if (owner === undefined) yield { kind: 'app_unknown', subject };
    // Volumes hold data, and a deletion that was finished had removed it: somebody brought it back.
    else if (owner.state === 'deleted') yield { kind: 'app_unexpected', tenantId: owner.id, subject };
  }
}

async function* compareTenant(deps: ReconcileDeps, tenant: TenantRow): AsyncGenerator<Difference> {
  const { store, machines } = deps;
  const { id: tenantId, appName, state, currentReleaseId } = tenant;
  const there = await machines.list(appName);
  // Something has begun while we asked: what is there belongs to it.
  if (!(await isUnchanged(store, tenant))) return;
  const wanted = state === 'running' ? currentReleaseId : null;
  for (const { releaseId } of there) {
    if (releaseId === wanted) continue;
    const repair = async () => {
      if (await isUnchanged(store, tenant)) await machines.stop(appName, releaseId);
    };
    yield { kind: 'machine_unexpected', tenantId, subject: releaseId, repair };
  }
  if (wanted === null) return;
  const machine = there.find(({ releaseId, state }) => releaseId === wanted && state === 'running');
  if (machine !== undefined) {
    yield* compareAddress(deps, { tenant, machine });
    return;
  }
  const repair = (signal: AbortSignal) => startAgain(deps, { tenant, releaseId: wanted, signal });
  yield { kind: 'machine_missing', tenantId, subject: wanted, repair };
}

/** Whether requests go where the machine is: somebody may have made it anew by hand, and it is reached elsewhere then. */
async function* compareAddress(
  { store }: ReconcileDeps,
  { tenant, machine }: { readonly tenant: TenantRow; readonly machine: Machine },
): AsyncGenerator<Difference> {
  const { id: machineId, releaseId, address } = machine;
  const [release] = await store.db.select().from(releases).where(eq(releases.id, releaseId));
  if (release === undefined || address === undefined || address === release.address) return;
  const repair = async () => {
    if (!(await isUnchanged(store, tenant))) return;
    await store.db.update(releases).set({ machineId, address }).where(eq(releases.id, releaseId));
  };
  yield { kind: 'machine_moved', tenantId: tenant.id, subject: releaseId, repair };
}

async function startAgain(
  deps: ReconcileDeps,
  request: { readonly tenant: TenantRow; readonly releaseId: string; readonly signal: AbortSignal },
): Promise<void> {
  const { store, machines } = deps;
  const { tenant, releaseId, signal } = request;
  const [release] = await store.db.select().from(releases).where(eq(releases.id, releaseId));
  if (release === undefined || !(await isUnchanged(store, tenant))) return;
  const machine = await machines.start(await machineSpec(deps, { tenant, release }), { signal });
  await store.db
    .update(releases)
    .set({ machineId: machine.id, address: machine.address ?? null })
    .where(eq(releases.id, releaseId));
  // Suspended or deleted while the provider was at it: whoever did so found no machine to stop.
  const [now] = await store.db.select({ state: tenants.state }).from(tenants).where(eq(tenants.id, tenant.id));
  if (stopped.includes(now?.state ?? '')) await machines.stop(tenant.appName, releaseId);
}
