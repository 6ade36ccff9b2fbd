import { and, eq, gt } from 'drizzle-orm';
import type { Vault } from '../ports/vault.ts';
import type { Transaction } from '../store/database.ts';
import { tenantSecrets } from '../store/schema.ts';
import { readSecrets, removeSecrets, writeSecrets } from '../tenants/secrets.ts';

/**
 * Makes the owner's secrets what they were at a version, as a new version: the next deploy goes on from what was
 * brought back. What somebody has set or removed after `since` stays. Without a difference nothing is written.
 */
export async function restoreSecrets(
  { tx, vault }: { readonly tx: Transaction; readonly vault: Vault },
  request: { readonly tenantId: string; readonly version: number; readonly since: Date },
): Promise<void> {
  const { tenantId, version, since } = request;
  const kind = 'user';
  const deps = { store: { db: tx }, vault };
  const own = and(eq(tenantSecrets.tenantId, tenantId), eq(tenantSecrets.kind, kind));
  const rows = await tx
    .select({ name: tenantSecrets.name })
    .from(tenantSecrets)
    .where(and(own, gt(tenantSecrets.updatedAt, since)));
  const kept = new Set(rows.map((row) => row.name));
  const then = Object.entries(await readSecrets(deps, { tenantId, kind, version })).filter(([name]) => !kept.has(name));
  const before = new Set(then.map(([name]) => name));
  const now = Object.keys(await readSecrets(deps, { tenantId, kind }));
  const names = now.filter((name) => !before.has(name) && !kept.has(name));
  if (names.length > 0) await removeSecrets(tx, { tenantId, names });
  if (then.length > 0) await writeSecrets(tx, vault, { tenantId, kind, secrets: Object.fromEntries(then) });
}
