import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { openStore, type Store } from '../store/database.ts';
import { findMigrations } from '../store/migrate.ts';
import { countPendingMigrations } from '../store/pending-migrations.ts';
import { OperatorError } from './operator-error.ts';

/** The longest that a database may take to take a connection, in ms. */
const patienceMs = 10_000;

/** Opens the control plane's database. @throws {OperatorError} SP_DATABASE_UNREACHABLE */
export async function openDatabase(url: string): Promise<Store> {
  try {
    // A place that swallows what is sent there would be waited for without an end and without a word.
    const probe = new Client({ connectionString: url, connectionTimeoutMillis: patienceMs });
    // It may also break after it has been given up.
    probe.on('error', () => {});
    await probe.connect();
    await probe.end();
    return await openStore(url);
  } catch (error) {
    throw new OperatorError(
      'SP_DATABASE_UNREACHABLE',
      `The database at ${placeOf(url)} cannot be used: ${reasonOf(error)}`,
    );
  }
}

/** How many migrations of this version the database lacks; a new database lacks all. */
export async function countLackingMigrations(store: Store): Promise<number> {
  const { rows } = await store.pool.query<{ known: boolean }>(
    `select to_regclass('drizzle.__drizzle_migrations') is not null as known`,
  );
  return rows[0]?.known === true ? await countPendingMigrations(store) : Number.POSITIVE_INFINITY;
}

/** How many migrations the database has that this version does not know: a later version has been there. */
export async function countLaterMigrations(store: Store): Promise<number> {
  const text = await readFile(join(findMigrations(), 'meta', '_journal.json'), 'utf8');
  const { entries } = JSON.parse(text) as { readonly entries: readonly { readonly when: number }[] };
  const last = Math.max(...entries.map(({ when }) => when));
  const { rows } = await store.pool.query<{ count: number }>(
    'select count(*)::int as count from drizzle.__drizzle_migrations where created_at > $1',
    [last],
  );
  return rows[0]?.count ?? 0;
}

/** Refuses a database of an earlier version. @throws {OperatorError} SP_DATABASE_OUTDATED */
export async function requireMigrations(store: Store): Promise<void> {
  const lacking = await countLackingMigrations(store);
  if (lacking === 0) return;
  const what = Number.isFinite(lacking) ? `lacks ${lacking} migrations of this version` : 'is empty';
  throw new OperatorError(
    'SP_DATABASE_OUTDATED',
    `The database ${what}; \`sp-management-api migrate\` brings it up to date`,
  );
}

/** What of a failure of the database may be said: the first line; its address and password are in none. */
export function reasonOf(error: unknown): string {
  // Node tries all addresses of a name, and wraps the failures.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  if (!(first instanceof Error)) return String(first);
  const { code } = first as NodeJS.ErrnoException;
  return (first.message.split('\n')[0] ?? '') || (code ?? first.name);
}

/** Host, port and name, without the person. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
