import { type Client, escapeIdentifier } from 'pg';

/** The databases of a server that are the control plane's own, and those that every server has. */
export function privateDatabaseNames(controlUrl: string): readonly string[] {
  const control = decodeURIComponent(new URL(controlUrl).pathname.slice(1));
  return [control, `${control}_dbos`, 'postgres', 'template1'];
}

/** The databases that every role of the server may enter, tenants' among them, and whether this role may close them. */
export async function listOpenDatabases(
  client: Client,
): Promise<readonly { readonly name: string; readonly isOwn: boolean }[]> {
  const { rows } = await client.query<{ name: string; isOwn: boolean }>(
    `select datname as name, pg_get_userbyid(datdba) = current_user as "isOwn" from pg_database
     where datallowconn and has_database_privilege('public', oid, 'CONNECT') order by datname`,
  );
  return rows;
}

/**
 * Postgres lets every role connect to every database: there a tenant could hear notifications, hold advisory locks and
 * fill the disk. Only databases that this role owns are closed; those of others are their owner's to decide.
 */
export async function closeOpenDatabases(
  client: Client,
  request: { readonly names: readonly string[]; readonly controlRole: string },
): Promise<void> {
  for (const { name, isOwn } of await listOpenDatabases(client)) {
    if (!isOwn || !request.names.includes(name)) continue;
    const database = escapeIdentifier(name);
    const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [request.controlRole]);
    if (rowCount !== 0) {
      await client.query(
        `GRANT CONNECT, TEMPORARY ON DATABASE ${database} TO ${escapeIdentifier(request.controlRole)}`,
      );
    }
    await client.query(`REVOKE CONNECT, TEMPORARY ON DATABASE ${database} FROM PUBLIC`);
  }
}
