import { pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
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
