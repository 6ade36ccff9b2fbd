import type { Vault } from '../ports/vault.ts';
import type { Transaction } from '../store/database.ts';
import { readSecrets, removeSecrets, writeSecrets } from '../tenants/secrets.ts';

/**
 * Makes the owner's secrets what they were at a version, as a new version: the next deploy goes on from what was
 * brought back. Without a difference nothing is written.
 */
export async function restoreSecrets(
  { tx, vault }: { readonly tx: Transaction; readonly vault: Vault },
  request: { readonly tenantId: string; readonly version: number },
): Promise<void> {
  const { tenantId, version } = request;
  const kind = 'user';
  const deps = { store: { db: tx }, vault };
  const then = await readSecrets(deps, { tenantId, kind, version });
  const now = await readSecrets(deps, { tenantId, kind });
  const names = Object.keys(now).filter((name) => !Object.hasOwn(then, name));
  if (names.length > 0) await removeSecrets(tx, { tenantId, names });
  await writeSecrets(tx, vault, { tenantId, kind, secrets: then });
}
