import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import type { Store } from './database.ts';

// Any number; the same in every version of this program.
const lock = 7_300_001;

/** Brings the database up to this version; several processes may do it at once. */
export async function migrateStore(store: Store): Promise<void> {
  const client = await store.pool.connect();
  try {
    // drizzle's migrator has no lock of its own: two at once on an empty database make the same tables.
    await client.query('select pg_advisory_lock($1)', [lock]);
    try {
      await migrate(drizzle({ client }), { migrationsFolder: findMigrations() });
    } finally {
      await client.query('select pg_advisory_unlock($1)', [lock]);
    }
  } finally {
    client.release();
  }
}

/** The folder of the migrations. */
// Sources are two folders below the package, the build is one: look upwards.
export function findMigrations(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'drizzle');
    if (existsSync(join(candidate, 'meta', '_journal.json'))) return candidate;
    if (folder === dirname(folder)) throw new Error('The migrations of @sp/management-api are not in its package');
  }
}
