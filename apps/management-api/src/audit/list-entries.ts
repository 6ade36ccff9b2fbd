import type { AuditEntry } from '@sp/cloud-api/contract';
import { and, desc, eq, lt } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { auditEntries, users } from '../store/schema.ts';

/** The entries of a chain, the latest first. */
export async function listAuditEntries(
  store: Store,
  request: { readonly chain: string; readonly before?: number | undefined; readonly limit: number },
): Promise<AuditEntry[]> {
  const { chain, before, limit } = request;
  const rows = await store.db
    .select({ entry: auditEntries, email: users.email })
    .from(auditEntries)
    .leftJoin(users, eq(users.id, auditEntries.userId))
    .where(and(eq(auditEntries.chain, chain), before === undefined ? undefined : lt(auditEntries.sequence, before)))
    .orderBy(desc(auditEntries.sequence))
    .limit(limit);
  return rows.map(({ entry, email }) => ({
    sequence: entry.sequence,
    time: entry.time.toISOString(),
    actor: {
      kind: entry.actorKind,
      id: entry.userId ?? undefined,
      email: email ?? undefined,
      sessionId: entry.sessionId ?? undefined,
      apiTokenId: entry.apiTokenId ?? undefined,
    },
    action: entry.action,
    outcome: entry.outcome,
    status: entry.status ?? undefined,
    code: entry.code ?? undefined,
    requestId: entry.requestId ?? undefined,
    address: entry.address ?? undefined,
    repeated: entry.repeated ?? undefined,
    hash: entry.hash,
  }));
}
