import { type Client, escapeIdentifier } from 'pg';
import type { AdminConnection } from './admin-connection.ts';
import { roleExists } from './login-roles.ts';

/**
 * Drops a role that this one acts for. What it made in databases that are not its tenant's is dropped with it where this
 * role may enter them and nothing of others depends on it. `false`: it owns something that is out of reach, and stays.
 */
export async function dropRole(
  client: Client,
  { admin, role }: { readonly admin: AdminConnection; readonly role: string },
): Promise<boolean> {
  if (!(await roleExists(client, role)) || (await tryDrop(client, role))) return true;
  // No database: what is in none of them, such as a right to connect to one.
  const { rows } = await client.query<{ database: string | null }>(
    `select distinct datname as database from pg_shdepend left join pg_database on pg_database.oid = dbid
     where refclassid = 'pg_authid'::regclass and refobjid = (select oid from pg_roles where rolname = $1)`,
    [role],
  );
  for (const { database } of rows) {
    const work = async (inside: Client): Promise<void> => {
      // Somebody may hold a lock on it for ever.
      await inside.query(`SET lock_timeout = '10s'`);
      await inside.query(`DROP OWNED BY ${escapeIdentifier(role)}`);
    };
    // Another owner's database may be closed to us: whether it mattered, the next try shows.
    await admin.use(database ?? undefined, work).catch(() => {});
  }
  return await tryDrop(client, role);
}

async function tryDrop(client: Client, role: string): Promise<boolean> {
  try {
    await client.query(`DROP ROLE ${escapeIdentifier(role)}`);
    return true;
  } catch (error) {
    if (isDependedOn(error)) return false;
    throw error;
  }
}

function isDependedOn(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '2BP01';
}
