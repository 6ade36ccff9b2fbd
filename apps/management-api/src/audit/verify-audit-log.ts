import { and, asc, eq, gt, or } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { auditEntries } from '../store/schema.ts';
import { hashEntry } from './canonical.ts';

/** What came of looking at every entry. */
export type AuditVerification =
  | { readonly ok: true; readonly chains: number; readonly entries: number }
  | {
      readonly ok: false;
      /** The first entry that is not as it was written, by chain and number. */
      readonly chain: string;
      readonly sequence: number;
      /** `missing`: entries before it are gone; `changed`: it is not what its hash says; `unlinked`: it names another one before it. */
      readonly reason: 'missing' | 'changed' | 'unlinked';
    };

const batch = 1000;

/**
 * Checks the whole audit log, or one chain: that no number is missing and every hash is right. Entries that were cut off
 * at a chain's end show only by comparison with an earlier result.
 */
export async function verifyAuditLog(
  store: Store,
  { chain: only, signal }: { readonly chain?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<AuditVerification> {
  let at = { chain: '', sequence: 0, hash: '' };
  let chains = 0;
  let entries = 0;
  while (true) {
    signal?.throwIfAborted();
    const after = or(
      gt(auditEntries.chain, at.chain),
      and(eq(auditEntries.chain, at.chain), gt(auditEntries.sequence, at.sequence)),
    );
    const rows = await store.db
      .select()
      .from(auditEntries)
      .where(and(after, only === undefined ? undefined : eq(auditEntries.chain, only)))
      .orderBy(asc(auditEntries.chain), asc(auditEntries.sequence))
      .limit(batch);
    for (const row of rows) {
      const { chain, sequence, hash } = row;
      if (chain !== at.chain) {
        at = { chain, sequence: 0, hash: '' };
        chains += 1;
      }
      const broken = (reason: 'missing' | 'changed' | 'unlinked') => ({ ok: false, chain, sequence, reason }) as const;
      if (sequence !== at.sequence + 1) return broken('missing');
      if (hashEntry(row) !== hash) return broken('changed');
      if (row.previousHash !== at.hash) return broken('unlinked');
      at = { chain, sequence, hash };
      entries += 1;
    }
    if (rows.length < batch) return { ok: true, chains, entries };
  }
}
