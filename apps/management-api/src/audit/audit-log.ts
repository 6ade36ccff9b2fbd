import { randomUUID } from 'node:crypto';
import { desc, eq, lt, sql } from 'drizzle-orm';
import type { Store, Transaction } from '../store/database.ts';
import { auditEntries, auditIntents } from '../store/schema.ts';
import { type AuditRow, hashEntry } from './canonical.ts';

/** What somebody is about to do, or did. */
export interface AuditEvent {
  readonly actorKind: AuditRow['actorKind'];
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly apiTokenId?: string | undefined;
  /** The endpoint's name in the contract, as `tenants.deploy`; in the background a name like it. */
  readonly action: string;
  readonly requestId?: string | undefined;
  readonly address?: string | undefined;
}

/** What came of it. */
export interface AuditOutcome {
  readonly outcome: AuditRow['outcome'];
  /** HTTP status. */
  readonly status?: number | undefined;
  /** Code of the failure. */
  readonly code?: string | undefined;
}

/** Something that was begun. */
export interface BegunAction {
  /** Writes the entry. */
  end(outcome: AuditOutcome): Promise<void>;
  /** There is nothing to write: it was an answer that had been given before. */
  drop(): Promise<void>;
}

/** Keeps who did what. Entries hold names, ids and codes; nothing that was sent. */
export interface AuditLog {
  /**
   * Notes what a user is about to do, before it is done: without the note nothing may be done. It goes to the tenant's
   * chain when the tenant is theirs, else to their own.
   */
  begin(event: AuditEvent & { readonly userId: string; readonly tenantId?: string | undefined }): Promise<BegunAction>;
  /** Writes what happened to a tenant without a request of its owner; with `tx` together with what happens there. */
  append(tenantId: string, event: AuditEvent & AuditOutcome, options?: { readonly tx?: Transaction }): Promise<void>;
  /** Gives every note an entry whose request can no longer run: its process died. */
  settle(): Promise<void>;
}

/** Longer than any request runs. */
const settleAfter = '15 minutes';
// Any number; the first half of the names of the chains' locks.
const lockSpace = 7_300_004;
const uuidPattern = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;

export function createAuditLog({
  store,
  now = Date.now,
}: {
  readonly store: Store;
  /** Milliseconds since 1970. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}): AuditLog {
  const append = async (tx: Transaction, chain: string, event: AuditEvent & AuditOutcome): Promise<void> => {
    // One writer of a chain at a time, in every replica.
    await tx.execute(sql`select pg_advisory_xact_lock(${lockSpace}, hashtext(${chain}))`);
    const [last] = await tx
      .select({ sequence: auditEntries.sequence, hash: auditEntries.hash, time: auditEntries.time })
      .from(auditEntries)
      .where(eq(auditEntries.chain, chain))
      .orderBy(desc(auditEntries.sequence))
      .limit(1);
    const entry = {
      chain,
      sequence: (last?.sequence ?? 0) + 1,
      // Clocks of replicas differ a little; the order of a chain is that of its entries.
      time: new Date(Math.max(now(), last?.time.getTime() ?? 0)),
      actorKind: event.actorKind,
      userId: event.userId ?? null,
      sessionId: event.sessionId ?? null,
      apiTokenId: event.apiTokenId ?? null,
      action: event.action,
      outcome: event.outcome,
      status: event.status ?? null,
      code: event.code ?? null,
      requestId: event.requestId ?? null,
      address: event.address ?? null,
      previousHash: last?.hash ?? '',
    };
    await tx.insert(auditEntries).values({ ...entry, hash: hashEntry(entry) });
  };

  return {
    begin: async ({ tenantId, ...event }) => {
      const id = randomUUID();
      const wanted = tenantId !== undefined && uuidPattern.test(tenantId) ? tenantId : null;
      const own = sql`select id::text from tenants where id = ${wanted}::uuid and owner_id = ${event.userId}::uuid`;
      const { rows } = await store.db.execute<{ chain: string }>(sql`
        insert into audit_intents (id, chain, entry)
        values (${id}, coalesce((${own}), ${`account:${event.userId}`}), ${JSON.stringify(event)}::jsonb)
        returning chain`);
      const chain = rows[0]?.chain ?? `account:${event.userId}`;
      return {
        end: (outcome) =>
          store.db.transaction(async (tx) => {
            await append(tx, chain, { ...event, ...outcome });
            await tx.delete(auditIntents).where(eq(auditIntents.id, id));
          }),
        drop: async () => {
          await store.db.delete(auditIntents).where(eq(auditIntents.id, id));
        },
      };
    },

    append: (tenantId, event, { tx } = {}) =>
      tx === undefined ? store.db.transaction((own) => append(own, tenantId, event)) : append(tx, tenantId, event),

    settle: () =>
      store.db.transaction(async (tx) => {
        const left = await tx
          .delete(auditIntents)
          .where(lt(auditIntents.createdAt, sql`now() - ${settleAfter}::interval`))
          .returning();
        // Always in the same order, so that two that do this never wait for each other.
        left.sort((a, b) => (a.chain < b.chain ? -1 : 1));
        for (const { chain, entry } of left) await append(tx, chain, { ...(entry as AuditEvent), outcome: 'unknown' });
      }),
  };
}
