import { randomUUID } from 'node:crypto';
import { desc, eq, lt, sql } from 'drizzle-orm';
import type { Logger } from 'pino';
import type { Store, Transaction } from '../store/database.ts';
import { auditCounts, auditEntries, auditIntents } from '../store/schema.ts';
import { type AuditRow, hashEntry } from './canonical.ts';
import { accountChain } from './chains.ts';

/** What somebody is about to do, or did. */
export interface AuditEvent {
  readonly actorKind: AuditRow['actorKind'];
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly apiTokenId?: string | undefined;
  /** The endpoint's name in the contract, as `tenants.deploy`; elsewhere a name like it. */
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

/** Where an entry goes that is written at once. */
export interface AppendOptions {
  /** Together with what happens there; it holds the chain until it ends. */
  readonly tx?: Transaction | undefined;
  /**
   * Whether it may come as often as somebody likes: beyond some of the same kind within an hour such entries are counted,
   * and one of them stands for the rest. @defaultValue false
   */
  readonly bounded?: boolean | undefined;
}

/** Keeps who did what. Entries hold names, ids and codes; nothing that was sent. */
export interface AuditLog {
  /**
   * Notes what a user is about to do, before it is done: without the note nothing may be done. It goes to the tenant's
   * chain when the tenant is theirs, else to their own. What is refused is bounded.
   */
  begin(event: AuditEvent & { readonly userId: string; readonly tenantId?: string | undefined }): Promise<BegunAction>;
  /** Writes what happened without such a note, to the chain that `chains.ts` names. */
  append(chain: string, event: AuditEvent & AuditOutcome, options?: AppendOptions): Promise<void>;
  /** Gives every note an entry whose request can no longer run, as its process died; and what was counted, once its hour is over. */
  settle(): Promise<void>;
}

/** What shows an entry elsewhere. */
interface Written {
  readonly chain: string;
  readonly sequence: number;
  readonly hash: string;
}

/** So many entries of one chain, action, outcome and code are written within an hour. */
export const entriesAnHour = 20;

/** Longer than any request runs. */
const settleAfter = '15 minutes';
const hourMs = 60 * 60_000;
// The clocks of replicas differ a little.
const toleranceMs = 5 * 60_000;
// Any number; the first half of the names of the chains' locks.
const lockSpace = 7_300_004;
const uuidPattern = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;

export function createAuditLog({
  store,
  logger,
  now = Date.now,
}: {
  readonly store: Store;
  /**
   * Gets the number and hash of each entry: kept elsewhere, they show what somebody rewrote who can write to the database,
   * for every hash stands on all before it. It is told when the entry is committed; of an entry in the caller's own
   * transaction already before that, so that a line may stand for an entry that was never committed. @defaultValue none
   */
  readonly logger?: Pick<Logger, 'info'> | undefined;
  /** Milliseconds since 1970. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}): AuditLog {
  const write = async (
    tx: Transaction,
    chain: string,
    event: AuditEvent & AuditOutcome & { readonly repeated?: number },
  ): Promise<Written> => {
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
      repeated: event.repeated ?? null,
      previousHash: last?.hash ?? '',
    };
    const hash = hashEntry(entry);
    await tx.insert(auditEntries).values({ ...entry, hash });
    return { chain, sequence: entry.sequence, hash };
  };

  const tell = (written: readonly (Written | undefined)[]): void => {
    for (const entry of written) if (entry !== undefined) logger?.info(entry, 'audit entry');
  };

  /** Writes it while there are few like it, else counts it. Its row is locked before the chain, everywhere. */
  const writeBounded = async (
    tx: Transaction,
    chain: string,
    event: AuditEvent & AuditOutcome,
  ): Promise<Written | undefined> => {
    const { action, outcome, code = '', userId } = event;
    const hour = Math.floor(now() / hourMs);
    const [counted] = await tx
      .insert(auditCounts)
      .values({ chain, action, outcome, code, hour, userId, count: 1 })
      .onConflictDoUpdate({
        target: [auditCounts.chain, auditCounts.action, auditCounts.outcome, auditCounts.code, auditCounts.hour],
        set: { count: sql`${auditCounts.count} + 1` },
      })
      .returning({ count: auditCounts.count });
    return (counted?.count ?? 1) <= entriesAnHour ? await write(tx, chain, event) : undefined;
  };

  const settleIntents = async (tx: Transaction): Promise<Written[]> => {
    const written: Written[] = [];
    const left = await tx
      .delete(auditIntents)
      .where(lt(auditIntents.createdAt, sql`now() - ${settleAfter}::interval`))
      .returning();
    // Always in the same order, so that two that do this never wait for each other.
    left.sort((a, b) => (a.chain < b.chain ? -1 : 1));
    for (const { chain, entry } of left)
      written.push(await write(tx, chain, { ...(entry as AuditEvent), outcome: 'unknown' }));
    return written;
  };

  const settleCounts = async (tx: Transaction): Promise<Written[]> => {
    const written: Written[] = [];
    const over = Math.floor((now() - toleranceMs) / hourMs);
    const rows = await tx
      .select()
      .from(auditCounts)
      .where(lt(auditCounts.hour, over))
      .orderBy(auditCounts.chain, auditCounts.action, auditCounts.outcome, auditCounts.code, auditCounts.hour)
      // Another replica is at it with the others.
      .for('update', { skipLocked: true });
    for (const { chain, action, outcome, code, hour, userId, count } of rows) {
      const key = { chain, action, outcome, code, hour };
      await tx.delete(auditCounts).where(
        sql.join(
          Object.entries(key).map(([name, value]) => eq(auditCounts[name as keyof typeof key], value)),
          sql` and `,
        ),
      );
      if (count <= entriesAnHour) continue;
      const entry = await write(tx, chain, {
        actorKind: userId === null ? 'anonymous' : 'user',
        userId: userId ?? undefined,
        action,
        outcome,
        code: code === '' ? undefined : code,
        repeated: count - entriesAnHour,
      });
      written.push(entry);
    }
    return written;
  };

  return {
    begin: async ({ tenantId, ...event }) => {
      const id = randomUUID();
      const account = accountChain(event.userId);
      const wanted = tenantId !== undefined && uuidPattern.test(tenantId) ? tenantId : null;
      const own = sql`select id::text from tenants where id = ${wanted}::uuid and owner_id = ${event.userId}::uuid`;
      const { rows } = await store.db.execute<{ chain: string }>(sql`
        insert into audit_intents (id, chain, entry)
        values (${id}, coalesce((${own}), ${account}), ${JSON.stringify(event)}::jsonb)
        returning chain`);
      const chain = rows[0]?.chain ?? account;
      return {
        end: async (outcome) => {
          const written = await store.db.transaction(async (tx) => {
            const put = outcome.outcome === 'refused' ? writeBounded : write;
            const entry = await put(tx, chain, { ...event, ...outcome });
            await tx.delete(auditIntents).where(eq(auditIntents.id, id));
            return entry;
          });
          tell([written]);
        },
        drop: async () => {
          await store.db.delete(auditIntents).where(eq(auditIntents.id, id));
        },
      };
    },

    append: async (chain, event, { tx, bounded = false } = {}) => {
      const put = bounded ? writeBounded : write;
      tell([
        tx === undefined ? await store.db.transaction((own) => put(own, chain, event)) : await put(tx, chain, event),
      ]);
    },

    settle: async () => {
      tell(await store.db.transaction(settleIntents));
      tell(await store.db.transaction(settleCounts));
    },
  };
}
