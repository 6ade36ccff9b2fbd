import { integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { bytea, created, moment } from './columns.ts';
import { tenants } from './tenants.ts';

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
