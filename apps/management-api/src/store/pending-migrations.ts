import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import type { Store } from './database.ts';
import { findMigrations } from './migrate.ts';

/** How many migrations of this version the database does not have. */
export async function countPendingMigrations({ db }: Store): Promise<number> {
  const journal = JSON.parse(await readFile(join(findMigrations(), 'meta', '_journal.json'), 'utf8')) as {
    entries: { when: number }[];
  };
  const { rows } = await db.execute<{ last: string | null }>(
    sql`select max(created_at)::text as last from drizzle.__drizzle_migrations`,
  );
  const last = Number(rows[0]?.last ?? 0);
  return journal.entries.filter(({ when }) => when > last).length;
}
