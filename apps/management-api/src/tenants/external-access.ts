import { eq } from 'drizzle-orm';
import { ApiFailure } from '../http/errors.ts';
import type { Databases } from '../ports/databases.ts';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';
import { type DatabaseLogin, tenants } from '../store/schema.ts';
import { describeFailure } from '../workflows/failure-class.ts';
import { updateTenant } from './changes.ts';
import { readSecrets } from './secrets.ts';
import type { TenantRow } from './tenants.ts';

interface ExternalAccessDeps {
  readonly store: Store;
  readonly vault: Vault;
  readonly databases: Pick<Databases, 'setExternalAccess'>;
}

/** The platform's secret that holds the password of a login role. */
export function passwordName(login: DatabaseLogin): string {
  return login === 'app' ? 'DATABASE_PASSWORD' : 'DATABASE_PASSWORD_ALT';
}

/**
 * Changes a tenant as {@link updateTenant} does. Access from outside is off only when nobody has it any more: where its
 * connections do not end, nothing is changed.
 * @throws {ApiFailure} operation_failed
 */
export async function changeTenant(
  deps: ExternalAccessDeps,
  request: Omit<Parameters<typeof updateTenant>[1], 'endExternalAccess'>,
): Promise<TenantRow> {
  let failed: unknown;
  const endExternalAccess = async ({ databaseName }: TenantRow): Promise<void> => {
    try {
      await deps.databases.setExternalAccess({ databaseName, enabled: false });
    } catch (error) {
      failed = error;
      throw error;
    }
  };
  try {
    return await updateTenant(deps.store, { ...request, endExternalAccess });
  } catch (error) {
    if (failed === undefined) throw error;
    // It may be closed to new connections by now: as the row says, it is on. Where this fails too, the next comparison
    // does it.
    await applyExternalAccess(deps, request.tenantId).catch(() => {});
    throw new ApiFailure(`External access could not be switched off: ${describeFailure(failed)}.`, {
      status: 409,
      code: 'operation_failed',
    });
  }
}

/**
 * Lets a tenant's database be reached from outside, or not, as its row says; call it after each change of it. Of changes
 * at the same time the last one stands. A tenant whose database was not made yet is left alone.
 */
export async function applyExternalAccess(deps: ExternalAccessDeps, tenantId: string): Promise<void> {
  const read = async () => (await deps.store.db.select().from(tenants).where(eq(tenants.id, tenantId)))[0];
  for (let tenant = await read(); tenant !== undefined; ) {
    const { databaseName, databaseLogin: login, externalDbAccess: enabled } = tenant;
    const secrets = await readSecrets(deps, { tenantId, kind: 'platform' });
    const password = secrets[passwordName(login)];
    if (password === undefined) return;
    await deps.databases.setExternalAccess({ databaseName, login, password, enabled });
    const after = await read();
    if (after?.externalDbAccess === enabled && after.databaseLogin === login) return;
    tenant = after;
  }
}
