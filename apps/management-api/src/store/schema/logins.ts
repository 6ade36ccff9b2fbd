import { boolean, index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { bytea, created, moment } from './columns.ts';
import { users } from './people.ts';
import { tenants } from './tenants.ts';

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

/** Tokens for programs without a person, by hash. */
export const apiTokens = pgTable(
  'api_tokens',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    name: text('name').notNull(),
    tokenHash: text('token_hash').notNull().unique(),
    scopes: text('scopes').array().notNull(),
    /** The one tenant that it is for. */
    tenantId: uuid('tenant_id').references(() => tenants.id),
    createdAt: moment('created_at').notNull(),
    expiresAt: moment('expires_at').notNull(),
    lastUsedAt: moment('last_used_at'),
    revokedAt: moment('revoked_at'),
  },
  (table) => [index('api_tokens_user').on(table.userId)],
);

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
