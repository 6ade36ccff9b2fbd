import { tenants } from '../store/schema.ts';
import { applyExternalAccess } from '../tenants/external-access.ts';
import type { TenantRow } from '../tenants/tenants.ts';
import { ensureDatabase } from '../workflows/provision-tenant.ts';
import type { Difference } from './finding.ts';
import { isUnchanged, listQuietTenants } from './quiet-tenants.ts';
import type { ReconcileDeps } from './reconcile.ts';

/** Databases that are not there or should not be, and login roles that are open or closed and should be otherwise. */
export async function* compareDatabases(deps: ReconcileDeps): AsyncGenerator<Difference> {
  const { store, databases } = deps;
  const found = new Map((await databases.list()).map((database) => [database.databaseName, database]));
  // After the look at the server: who was made since then is in neither list, and who was quiet is looked at again.
  const quiet = await listQuietTenants(store);
  for (const tenant of quiet) {
    const there = found.get(tenant.databaseName);
    if (tenant.state === 'deleted' || tenant.state === 'provision_failed') continue;
    if (!(await isUnchanged(store, tenant))) continue;
    if (there?.exists !== true) {
      yield { kind: 'database_missing', tenantId: tenant.id, subject: tenant.databaseName };
      continue;
    }
    yield* compareLogins(deps, { tenant, there });
  }
  const known = await store.db
    .select({ id: tenants.id, databaseName: tenants.databaseName, state: tenants.state })
    .from(tenants);
  const owners = new Map(known.map((tenant) => [tenant.databaseName, tenant]));
  for (const { databaseName: subject, dropped, exists } of found.values()) {
    const owner = owners.get(subject);
    if (owner !== undefined && owner.state !== 'deleted') continue;
    // Roles alone hold no data; a database with data may have come back from a backup.
    const ours = owner !== undefined && (dropped || !exists);
    const repair = ours ? { repair: () => dropWhole(databases, subject) } : {};
    yield { kind: 'database_unexpected', tenantId: owner?.id, subject, ...repair };
  }
}

async function dropWhole(databases: ReconcileDeps['databases'], databaseName: string): Promise<void> {
  const { keptRoles } = await databases.drop(databaseName);
  if (keptRoles.length === 0) return;
  throw new Error(`Roles that own something in another database stay, closed: ${keptRoles.join(', ')}`);
}

type Found = Awaited<ReturnType<ReconcileDeps['databases']['list']>>[number];

function* compareLogins(
  deps: ReconcileDeps,
  { tenant, there }: { readonly tenant: TenantRow; readonly there: Found },
): Generator<Difference> {
  const { store, databases } = deps;
  const { id: tenantId, databaseName, databaseLogin, externalDbAccess } = tenant;
  // A rotation between the look and the repair changes which role is in use.
  const unlessChanged = (work: () => Promise<unknown>) => async () => {
    if (await isUnchanged(store, tenant)) await work();
  };
  const subject = databaseName;
  const unused = databaseLogin === 'app' ? 'alt' : 'app';
  if (!there.logins.includes(databaseLogin)) {
    const repair = unlessChanged(() => ensureDatabase(deps, tenant));
    yield { kind: 'login_differs', tenantId, subject: `${subject}_${databaseLogin}`, repair };
  }
  if ([...there.logins, ...there.external, ...there.lingering].includes(unused)) {
    const repair = unlessChanged(() => databases.disableLogin({ databaseName, login: unused }));
    yield { kind: 'login_differs', tenantId, subject: `${subject}_${unused}`, repair };
  }
  const isStillUsed = !externalDbAccess && there.lingering.includes(databaseLogin);
  if (there.external.includes(databaseLogin) !== externalDbAccess || isStillUsed) {
    yield { kind: 'external_access_differs', tenantId, subject, repair: () => applyExternalAccess(deps, tenantId) };
  }
}
