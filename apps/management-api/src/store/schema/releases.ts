import { sql } from 'drizzle-orm';
import { integer, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { created, moment } from './columns.ts';
import { users } from './people.ts';
import { type DatabaseLogin, tenants } from './tenants.ts';

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
    kind: text('kind')
      .$type<'restart' | 'rotate_credentials' | 'rotate_sync_token' | 'suspend' | 'resume' | 'delete'>()
      .notNull(),
    status: text('status').$type<'open' | 'done' | 'failed'>().notNull().default('open'),
    /** The release that the operation made to bring its change to the machine. */
    releaseId: uuid('release_id'),
    failure: text('failure'),
    createdAt: created(),
    finishedAt: moment('finished_at'),
  },
  (table) => [uniqueIndex('tenant_operations_one_open').on(table.tenantId).where(sql`status = 'open'`)],
);
