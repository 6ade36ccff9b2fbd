import type { Plan } from '@sp/cloud-api/contract';
import { type SQL, sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { created, moment } from './columns.ts';
import { users } from './people.ts';

/** One attempt to buy a tenant. */
export const checkoutSessions = pgTable('checkout_sessions', {
  id: text('id').primaryKey(),
  userId: uuid('user_id')
    .notNull()
    .references(() => users.id),
  priceId: text('price_id').notNull(),
  /** What was bought, as it was offered: prices can be changed or withdrawn before the payment is told. */
  plan: jsonb('plan').$type<Plan>(),
  region: text('region').notNull(),
  tenantName: text('tenant_name').notNull(),
  redirectUri: text('redirect_uri'),
  transactionId: text('transaction_id').notNull().unique(),
  tenantId: uuid('tenant_id'),
  /** When the provider was last asked whether it was paid. */
  checkedAt: moment('checked_at'),
  createdAt: created(),
});

/** Webhooks as they came, once each. */
export const webhookEvents = pgTable(
  'webhook_events',
  {
    eventId: text('event_id').primaryKey(),
    eventType: text('event_type').notNull(),
    occurredAt: moment('occurred_at').notNull(),
    receivedAt: moment('received_at').notNull().defaultNow(),
    /** Absent: what follows from it has not happened yet, or nobody knows what it is about. */
    processedAt: moment('processed_at'),
    payload: jsonb('payload').notNull(),
    /** The subscription that it is about. */
    subscriptionId: text('subscription_id').generatedAlwaysAs(
      (): SQL => sql`case when event_type like 'subscription.%' then payload #>> '{data,id}'
        when event_type like 'transaction.%' then payload #>> '{data,subscription_id}' end`,
    ),
  },
  (table) => [
    index('webhook_events_subscription').on(table.subscriptionId),
    index('webhook_events_unprocessed').on(table.receivedAt).where(sql`processed_at is null`),
  ],
);

/** The sandbox payment provider's own books; nothing but `billing/sandbox` reads them. */
export const sandboxTransactions = pgTable('sandbox_transactions', {
  id: text('id').primaryKey(),
  priceId: text('price_id').notNull(),
  customData: jsonb('custom_data').notNull(),
  successUrl: text('success_url'),
  status: text('status').$type<'ready' | 'completed' | 'canceled'>().notNull().default('ready'),
  /** Of the subscription that the payment began. */
  subscriptionStatus: text('subscription_status').$type<'active' | 'past_due' | 'paused' | 'canceled'>(),
  /** How often the subscription changed; each change has an event with this number. */
  changes: integer('changes').notNull().default(0),
  changedAt: moment('changed_at').notNull().defaultNow(),
  createdAt: created(),
});
