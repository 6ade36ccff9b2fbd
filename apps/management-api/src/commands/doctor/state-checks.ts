import { verifyAuditLog } from '../../audit/verify-audit-log.ts';
import type { Vault } from '../../ports/vault.ts';
import type { Store } from '../../store/database.ts';
import { tenantKeys } from '../../store/schema.ts';
import { loadSigningKeys } from '../../tokens/signing-keys.ts';
import { type Check, failed, ok, warning } from './check.ts';

/** Whether what is in the database is whole, and opens with the keys that are configured. */
export function stateChecks({ store, vault }: { readonly store: Store; readonly vault: Vault }): Check[] {
  return [
    {
      name: 'vault key',
      run: async () => {
        const rows = await store.db.selectDistinct({ keyId: tenantKeys.keyEncryptionKeyId }).from(tenantKeys);
        const unknown = rows.filter(({ keyId }) => !vault.keyIds.includes(keyId)).length;
        if (unknown > 0) return failed(`${unknown} keys that are not configured have sealed keys of tenants`);
        const earlier = rows.filter(({ keyId }) => keyId !== vault.keyId).length;
        if (earlier > 0) return warning(`${earlier} earlier keys are still needed; \`rotate-keys\` changes that`);
        return ok(`${vault.keyId} has sealed everything`);
      },
    },
    {
      name: 'signing keys',
      run: async () => {
        const { rows } = await store.pool.query<{ count: number }>('select count(*)::int as count from signing_keys');
        // The first start makes the first one; a doctor makes nothing.
        if (rows[0]?.count === 0) return warning('there is none yet; the first start makes it');
        const keys = await loadSigningKeys({ store, vault });
        return ok(`${keys.length} in use, ${keys[0]?.kid ?? ''} is the newest`);
      },
    },
    {
      name: 'audit log',
      run: async (signal) => {
        const seen = await verifyAuditLog(store, { signal });
        if (seen.ok) return ok(`${seen.entries} entries in ${seen.chains} chains follow from each other`);
        return failed(
          `entry ${seen.sequence} of chain ${seen.chain} does not follow from those before it (${seen.reason})`,
        );
      },
    },
  ];
}
