import { bigint, index, integer, jsonb, pgTable, primaryKey, text, uuid, varchar } from 'drizzle-orm/pg-core';
import { bytea, created, moment } from './columns.ts';
import { users } from './people.ts';

/** Answers to requests that carried an `Idempotency-Key`, so that the same request again gets the same answer. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    key: text('key').notNull(),
    /** Of method, path and body. */
    fingerprint: text('fingerprint').notNull(),
    status: text('status').$type<'running' | 'answered'>().notNull().default('running'),
    /** Status, headers and body as JSON, sealed by the vault: an answer can hold a new password. */
    sealedAnswer: bytea('sealed_answer'),
    /** What the request has made, sealed: written with what it made, so that it is not made again when no answer came of it. */
    sealedEffect: bytea('sealed_effect'),
    /** The process that answers, as `http/presence.ts` names it: when it is gone, another may answer. */
    holder: integer('holder'),
    createdAt: created(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.key] })],
);

/** What people's programs said that they did: logins and logouts. */
export const activities = pgTable('activities', {
  id: uuid('id').primaryKey().defaultRandom(),
  userId: uuid('user_id')
    .notNull()
    .references(() => users.id),
  event: text('event').notNull(),
  /** By the clock of the program. */
  occurredAt: moment('occurred_at').notNull(),
  createdAt: created(),
});

/** Counters of requests that all replicas share; laid out as `rate-limiter-flexible` wants it. */
export const rateLimits = pgTable(
  'rate_limits',
  {
    key: varchar('key', { length: 255 }).primaryKey(),
    points: integer('points').notNull().default(0),
    /** Milliseconds since 1970. */
    expire: bigint('expire', { mode: 'number' }),
  },
  (table) => [index('rate_limits_expire').on(table.expire)],
);

/** Who did what: chains of entries, each with the hash of the one before it. The database refuses to change them. */
export const auditEntries = pgTable(
  'audit_entries',
  {
    /** A tenant's id, `account:` and a user's, or `anonymous`. */
    chain: text('chain').notNull(),
    /** Counts up from 1 within the chain, without gaps. */
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    time: moment('time').notNull(),
    /** `anonymous`: somebody who did not get so far that they were known. */
    actorKind: text('actor_kind').$type<'user' | 'billing' | 'system' | 'anonymous'>().notNull(),
    userId: uuid('user_id'),
    sessionId: uuid('session_id'),
    apiTokenId: uuid('api_token_id'),
    /** The endpoint's name in the contract, or what happened in the background. */
    action: text('action').notNull(),
    /** `unknown`: the process ended before it could say. */
    outcome: text('outcome').$type<'succeeded' | 'refused' | 'failed' | 'unknown'>().notNull(),
    status: integer('status'),
    code: text('code'),
    requestId: text('request_id'),
    address: text('address'),
    /** How many more like it the entry stands for, where there were too many to write each. */
    repeated: integer('repeated'),
    /** Hash of the entry before; the first one's is empty. */
    previousHash: text('previous_hash').notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [primaryKey({ columns: [table.chain, table.sequence] })],
);

/** What came so often within an hour that it is counted instead of written: its entry is written when the hour is over. */
export const auditCounts = pgTable(
  'audit_counts',
  {
    chain: text('chain').notNull(),
    action: text('action').notNull(),
    outcome: text('outcome').$type<'succeeded' | 'refused' | 'failed' | 'unknown'>().notNull(),
    /** Empty where there is none. */
    code: text('code').notNull(),
    /** The hours since 1970. */
    hour: integer('hour').notNull(),
    userId: uuid('user_id'),
    /** Those that were written among them. */
    count: integer('count').notNull(),
  },
  (table) => [primaryKey({ columns: [table.chain, table.action, table.outcome, table.code, table.hour] })],
);

/** What was begun and has no entry yet: kept so that a process that dies leaves a trace of what it was doing. */
export const auditIntents = pgTable('audit_intents', {
  id: uuid('id').primaryKey(),
  chain: text('chain').notNull(),
  /** The entry as far as it is known, without its place in the chain. */
  entry: jsonb('entry').notNull(),
  createdAt: created(),
});
