import { timingSafeEqual } from 'node:crypto';
import type { TenantSecrets } from '@sp/cloud-api/contract';
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';
import { tenants } from '../store/schema.ts';
import { readSecrets } from './secrets.ts';

/** The secret of a tenant's one-time link; the same every time, so that nothing of it has to be stored. */
export function credentialsToken(vault: Vault, tenantId: string): string {
  return vault.derive(`credentials|${tenantId}`).toString('base64url');
}

/**
 * Gives a tenant's generated credentials to the first that asks with the right token: `used` afterwards, `unknown` for
 * a wrong token or a tenant that has none yet.
 */
export async function claimCredentials(
  deps: { readonly store: Store; readonly vault: Vault },
  request: { readonly tenantId: string; readonly token: string; readonly appUrl: string },
): Promise<TenantSecrets | 'used' | 'unknown'> {
  const { tenantId, token, appUrl } = request;
  const expected = Buffer.from(credentialsToken(deps.vault, tenantId));
  const given = Buffer.from(token);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'unknown';
  // Read before the claim: a link that has nothing to give yet must not be used up.
  const secrets = await readSecrets(deps, { tenantId, kind: 'platform' });
  const { JWT_SECRET: jwtSecret, DATABASE_URL: internalDatabaseUrl, EXTERNAL_DATABASE_URL: databaseUrl } = secrets;
  if (jwtSecret === undefined || internalDatabaseUrl === undefined || databaseUrl === undefined) return 'unknown';
  const claimed = await deps.store.db
    .update(tenants)
    .set({ credentialsClaimedAt: sql`now()` })
    .where(and(eq(tenants.id, tenantId), isNull(tenants.credentialsClaimedAt)))
    .returning({ id: tenants.id });
  if (claimed.length === 0) return 'used';
  return { jwtSecret, databaseUrl, internalDatabaseUrl, appUrl, syncToken: secrets['SYNC_TOKEN'] };
}
