import { createHash } from 'node:crypto';
import type { auditEntries } from '../store/schema.ts';

/** An entry as it is stored. */
export type AuditRow = typeof auditEntries.$inferSelect;

/**
 * The hash of an entry: SHA-256, in hex, over its members as canonical JSON (RFC 8785: keys sorted, no spaces), among
 * them the hash of the entry before it.
 */
export function hashEntry(entry: Omit<AuditRow, 'hash'>): string {
  const members: Record<string, string | number | null> = {
    chain: entry.chain,
    sequence: entry.sequence,
    time: entry.time.toISOString(),
    actor_kind: entry.actorKind,
    user_id: entry.userId,
    session_id: entry.sessionId,
    api_token_id: entry.apiTokenId,
    action: entry.action,
    outcome: entry.outcome,
    status: entry.status,
    code: entry.code,
    request_id: entry.requestId,
    address: entry.address,
    previous_hash: entry.previousHash,
    // Entries of before had no such member.
    ...(entry.repeated === null ? {} : { repeated: entry.repeated }),
  };
  // The values are texts, whole numbers and null: sorted keys are all that JSON.stringify does not do by itself.
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)))))
    .digest('hex');
}
