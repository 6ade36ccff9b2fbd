import { eq } from 'drizzle-orm';
import type { Databases } from '../ports/databases.ts';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';
import { type DatabaseLogin, tenants } from '../store/schema.ts';
import { readSecrets } from './secrets.ts';

/** The platform's secret that holds the password of a login role. */
export function passwordName(login: DatabaseLogin): string {
  return login === 'app' ? 'DATABASE_PASSWORD' : 'DATABASE_PASSWORD_ALT';
}

/**
 * Lets a tenant's database be reached from outside, or not, as its row says; call it after each change of it. Of changes
 * at the same time the last one stands. A tenant whose database was not made yet is left alone.
 */
export async function applyExternalAccess(
  deps: { readonly store: Store; readonly vault: Vault; readonly databases: Pick<Databases, 'setExternalAccess'> },
  tenantId: string,
): Promise<void> {
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
