import { sql } from 'drizzle-orm';
import { bigint, boolean, integer, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { created, moment } from './columns.ts';
import { users } from './people.ts';

/** The two login roles of a tenant's database; while one is replaced by the other, both work. */
export type DatabaseLogin = 'app' | 'alt';

export const tenants = pgTable(
  'tenants',
  {
    id: uuid('id').primaryKey(),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id),
    name: text('name').notNull(),
    /** See `tenants/state.ts`. */
    state: text('state').notNull(),
    /** Why the tenant is in a failed state; one line for its owner. */
    failure: text('failure'),
    region: text('region').notNull(),
    planId: text('plan_id').notNull(),
    memoryMb: integer('memory_mb').notNull(),
    volumeGb: integer('volume_gb').notNull(),
    subscriptionId: text('subscription_id'),
    /** What the provider's newest word says: `active`, `trialing`, `past_due`, `paused` or `canceled`. */
    subscriptionStatus: text('subscription_status'),
    /** From then on the tenant is not paid for: it is suspended. */
    suspendAt: moment('suspend_at'),
    /** From then on its data is not kept any more. */
    deleteAt: moment('delete_at'),
    /** When the provider was last asked how the subscription is. */
    subscriptionCheckedAt: moment('subscription_checked_at'),
    checkoutSessionId: text('checkout_session_id').unique(),
    /** Name of the app at the machine provider; the marker by which everything of the tenant is found again there. */
    appName: text('app_name').notNull().unique(),
    /** Host (and port, where it is not the default) of the tenant's page. */
    hostname: text('hostname').notNull().unique(),
    databaseName: text('database_name').notNull().unique(),
    /** Which of the two login roles of the database is in use; rotating the password changes to the other. */
    databaseLogin: text('database_login').$type<DatabaseLogin>().notNull().default('app'),
    externalDbAccess: boolean('external_db_access').notNull().default(false),
    currentReleaseId: uuid('current_release_id'),
    credentialsClaimedAt: moment('credentials_claimed_at'),
    /** Raised with each change that the owner makes: what `ETag` and `If-Match` compare. */
    version: integer('version').notNull().default(1),
    /** Number of the last event; raised under the row's lock, so that numbers become visible in order. */
    eventSequence: bigint('event_sequence', { mode: 'number' }).notNull().default(0),
    createdAt: created(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [uniqueIndex('tenants_owner_name').on(table.ownerId, table.name).where(sql`state <> 'deleted'`)],
);

export const tenantEvents = pgTable(
  'tenant_events',
  {
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id),
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    eventType: text('event_type').notNull(),
    status: text('status').notNull(),
    message: text('message'),
    appUrl: text('app_url'),
    createdAt: created(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.sequence] })],
);

/** A name of the owner's own for the tenant's page. A name that was proved is one tenant's only. */
export const customDomains = pgTable(
  'custom_domains',
  {
    tenantId: uuid('tenant_id')
      .primaryKey()
      .references(() => tenants.id),
    domain: text('domain').notNull(),
    createdAt: created(),
    verifiedAt: moment('verified_at'),
    /** When it was last looked at again, once it was proved. */
    checkedAt: moment('checked_at'),
    /** Since when its record or its certificate is not right any more. */
    failingSince: moment('failing_since'),
  },
  (table) => [uniqueIndex('custom_domains_verified').on(table.domain).where(sql`verified_at is not null`)],
);
