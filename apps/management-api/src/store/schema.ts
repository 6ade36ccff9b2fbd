import { relations, sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const created = () => moment('created_at').notNull().defaultNow();

/** The two login roles of a tenant's database; while one is replaced by the other, both work. */
export type DatabaseLogin = 'app' | 'alt';

// --- people

export const users = pgTable('users', {
  id: uuid('id').primaryKey().defaultRandom(),
  email: text('email').notNull(),
  name: text('name'),
  createdAt: created(),
});

/** Who vouches for a user: a person is found by provider and the provider's own id, never by e-mail. */
export const identities = pgTable(
  'identities',
  {
    provider: text('provider').notNull(),
    subject: text('subject').notNull(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
  },
  (table) => [primaryKey({ columns: [table.provider, table.subject] })],
);

/** A login under way: what the client asked for, until the provider sends the person back. */
export const loginRequests = pgTable('login_requests', {
  /** The `state` value that the provider returns. */
  id: text('id').primaryKey(),
  provider: text('provider').notNull(),
  redirectUri: text('redirect_uri').notNull(),
  clientState: text('client_state'),
  codeChallenge: text('code_challenge'),
  /** Whether a refresh token was asked for. */
  offline: boolean('offline').notNull().default(false),
  /** What the program calls itself. */
  client: text('client'),
  /** The code of the device login that this login is for. */
  userCode: text('user_code'),
  expiresAt: moment('expires_at').notNull(),
});

/** Codes wait to be turned into a token; only their hash is kept, and each works once. */
export const authorizationCodes = pgTable('authorization_codes', {
  codeHash: text('code_hash').primaryKey(),
  userId: uuid('user_id')
    .notNull()
    .references(() => users.id),
  redirectUri: text('redirect_uri').notNull(),
  codeChallenge: text('code_challenge').notNull(),
  offline: boolean('offline').notNull().default(false),
  client: text('client'),
  expiresAt: moment('expires_at').notNull(),
  usedAt: moment('used_at'),
});

/** One login of a user on one computer; all its tokens end with it. */
export const loginSessions = pgTable(
  'login_sessions',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    client: text('client'),
    createdAt: moment('created_at').notNull(),
    lastUsedAt: moment('last_used_at').notNull(),
    expiresAt: moment('expires_at').notNull(),
    revokedAt: moment('revoked_at'),
  },
  (table) => [index('login_sessions_user').on(table.userId)],
);

/** The refresh tokens of a session, by hash: each replaces the one before it. */
export const refreshTokens = pgTable(
  'refresh_tokens',
  {
    tokenHash: text('token_hash').primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => loginSessions.id, { onDelete: 'cascade' }),
    createdAt: moment('created_at').notNull(),
    /** When its successor was made. */
    replacedAt: moment('replaced_at'),
  },
  (table) => [index('refresh_tokens_session').on(table.sessionId)],
);

/** Logins of programs on computers without a browser, until a person allows them on another one. */
export const deviceLogins = pgTable('device_logins', {
  deviceCodeHash: text('device_code_hash').primaryKey(),
  userCode: text('user_code').notNull().unique(),
  status: text('status').$type<'pending' | 'allowed' | 'denied'>().notNull().default('pending'),
  userId: uuid('user_id').references(() => users.id),
  offline: boolean('offline').notNull(),
  client: text('client'),
  /** The least number of seconds between two polls; raised for those who ask too often. */
  interval: integer('interval').notNull(),
  polledAt: moment('polled_at'),
  createdAt: moment('created_at').notNull(),
  expiresAt: moment('expires_at').notNull(),
});

/** How many device codes a person has got wrong since `since`, so that nobody finds one by trying. */
export const deviceAttempts = pgTable('device_attempts', {
  userId: uuid('user_id')
    .primaryKey()
    .references(() => users.id),
  count: integer('count').notNull(),
  since: moment('since').notNull(),
});

/** Keys that sign access tokens; the private half is sealed by the vault. */
export const signingKeys = pgTable('signing_keys', {
  kid: text('kid').primaryKey(),
  algorithm: text('algorithm').notNull(),
  publicJwk: jsonb('public_jwk').notNull(),
  sealedPrivateJwk: bytea('sealed_private_jwk').notNull(),
  createdAt: created(),
  /** From then on its tokens are refused; in the future while a newer key takes over. */
  retiredAt: moment('retired_at'),
});

// --- money

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

// --- tenants

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
    subscriptionStatus: text('subscription_status'),
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

/** A tenant's data keys, wrapped by the key-encryption key named. */
export const tenantKeys = pgTable(
  'tenant_keys',
  {
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id),
    version: integer('version').notNull(),
    keyEncryptionKeyId: text('key_encryption_key_id').notNull(),
    wrappedKey: bytea('wrapped_key').notNull(),
    createdAt: created(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.version] })],
);

export const tenantSecrets = pgTable(
  'tenant_secrets',
  {
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id),
    name: text('name').notNull(),
    /** `platform`: made by provisioning, readable once by the owner; `user`: set by the owner, never read back. */
    kind: text('kind').$type<'platform' | 'user'>().notNull(),
    /** Counts the changes of all secrets of a kind; the value holds from this version on, until the name's next row. */
    version: integer('version').notNull(),
    keyVersion: integer('key_version').notNull(),
    /** Absent: the secret was removed with this version. */
    ciphertext: bytea('ciphertext'),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.kind, table.name, table.version] })],
);

/** What was deployed: an image by digest, the secrets it started with, and the machine that runs it. */
export const releases = pgTable(
  'releases',
  {
    id: uuid('id').primaryKey(),
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id),
    number: integer('number').notNull(),
    image: text('image').notNull(),
    digest: text('digest').notNull(),
    /** The login role that the machine of this release uses. */
    databaseLogin: text('database_login').$type<DatabaseLogin>().notNull().default('app'),
    status: text('status').$type<'deploying' | 'running' | 'failed' | 'superseded'>().notNull(),
    machineId: text('machine_id'),
    /** `host:port` where the machine answers. */
    address: text('address'),
    failure: text('failure'),
    /** The owner's secrets that the machine gets: all that was set up to this version. */
    secretsVersion: integer('secrets_version').notNull().default(0),
    /** Number of the release that this one brings back. */
    rollbackOf: integer('rollback_of'),
    createdBy: uuid('created_by').references(() => users.id),
    createdAt: created(),
    finishedAt: moment('finished_at'),
  },
  (table) => [
    uniqueIndex('releases_tenant_number').on(table.tenantId, table.number),
    uniqueIndex('releases_one_deploying').on(table.tenantId).where(sql`status = 'deploying'`),
  ],
);

/** What is done to a tenant besides deploys: one at a time, and each is kept. */
export const tenantOperations = pgTable(
  'tenant_operations',
  {
    id: uuid('id').primaryKey(),
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id),
    kind: text('kind').$type<'restart' | 'rotate_credentials' | 'rotate_sync_token' | 'suspend' | 'delete'>().notNull(),
    status: text('status').$type<'open' | 'done' | 'failed'>().notNull().default('open'),
    /** The release that the operation made to bring its change to the machine. */
    releaseId: uuid('release_id'),
    failure: text('failure'),
    createdAt: created(),
    finishedAt: moment('finished_at'),
  },
  (table) => [uniqueIndex('tenant_operations_one_open').on(table.tenantId).where(sql`status = 'open'`)],
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
  },
  (table) => [uniqueIndex('custom_domains_verified').on(table.domain).where(sql`verified_at is not null`)],
);

// --- requests

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

export const tenantRelations = relations(tenants, ({ one }) => ({
  owner: one(users, { fields: [tenants.ownerId], references: [users.id] }),
  currentRelease: one(releases, { fields: [tenants.currentReleaseId], references: [releases.id] }),
}));
