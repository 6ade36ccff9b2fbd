import { jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { created, moment } from './columns.ts';
import { users } from './people.ts';

/** One attempt to buy a tenant. */
export const checkoutSessions = pgTable('checkout_sessions', {
  id: text('id').primaryKey(),
  userId: uuid('user_id')
    .notNull()
    .references(() => users.id),
  priceId: text('price_id').notNull(),
  region: text('region').notNull(),
  tenantName: text('tenant_name').notNull(),
  redirectUri: text('redirect_uri'),
  transactionId: text('transaction_id').notNull().unique(),
  tenantId: uuid('tenant_id'),
  createdAt: created(),
});

/** Webhooks as they came, once each. */
export const webhookEvents = pgTable('webhook_events', {
  eventId: text('event_id').primaryKey(),
  eventType: text('event_type').notNull(),
  occurredAt: moment('occurred_at').notNull(),
  receivedAt: moment('received_at').notNull().defaultNow(),
  processedAt: moment('processed_at'),
  payload: jsonb('payload').notNull(),
});

/** The sandbox payment provider's own books; nothing but `billing/sandbox` reads them. */
export const sandboxTransactions = pgTable('sandbox_transactions', {
  id: text('id').primaryKey(),
  priceId: text('price_id').notNull(),
  customData: jsonb('custom_data').notNull(),
  successUrl: text('success_url'),
  status: text('status').$type<'ready' | 'completed' | 'canceled'>().notNull().default('ready'),
  createdAt: created(),
});
