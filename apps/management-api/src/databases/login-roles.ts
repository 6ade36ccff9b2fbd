import { createHmac } from 'node:crypto';
import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import { endSessions } from './end-sessions.ts';
import { scramVerifier } from './scram-verifier.ts';

/** The two roles that take turns. */
export const loginSlots = ['app', 'alt'] as const;
export type LoginSlot = (typeof loginSlots)[number];

/**
 * Connections at the same time. The database has room for two machines: while one replaces the other, both are
 * connected.
 */
export const connectionLimits = { machine: 20, external: 10, database: 50 } as const;

/** The password of the external URL: it follows from that of the machine, and does not lead back to it. */
export function externalPassword(password: string): string {
  return createHmac('sha256', password).update('external').digest('base64url').slice(0, 32);
}

/** Makes the role that owns a tenant's database. */
export async function createOwnerRole(client: Client, owner: string): Promise<void> {
  if (!(await roleExists(client, owner))) {
    await client.query(`CREATE ROLE ${escapeIdentifier(owner)} NOLOGIN ${rights}`);
  }
  await actFor(client, owner);
}

/**
 * Lets this role act for one of a tenant: hand it a database, end its sessions, drop what it owns. Only a superuser may do
 * so without being its member. From Postgres 16 on, who makes a role may grant it, and does not act for it yet.
 */
async function actFor(client: Client, role: string): Promise<void> {
  const { rows } = await client.query<{ isSuperuser: boolean; hasOptions: boolean }>(
    `select rolsuper as "isSuperuser", current_setting('server_version_num')::int >= 160000 as "hasOptions"
     from pg_roles where rolname = current_user`,
  );
  if (rows[0]?.isSuperuser === true) return;
  const options = rows[0]?.hasOptions === true ? ' WITH INHERIT TRUE, SET TRUE' : '';
  await client.query(`GRANT ${escapeIdentifier(role)} TO CURRENT_USER${options}`);
}

/** Makes a role that logs in as a member of the owner, or gives it another password. */
export async function createLoginRole(
  client: Client,
  request: { readonly owner: string; readonly role: string; readonly password: string; readonly limit: number },
): Promise<void> {
  const role = escapeIdentifier(request.role);
  if (!(await roleExists(client, request.role))) {
    await client.query(`CREATE ROLE ${role} NOLOGIN ${rights} IN ROLE ${escapeIdentifier(request.owner)}`);
  }
  // DDL takes no parameters; a verifier has no characters that would need more than quoting.
  const verifier = escapeLiteral(await scramVerifier(request.password));
  await client.query(`ALTER ROLE ${role} LOGIN CONNECTION LIMIT ${request.limit} PASSWORD ${verifier}`);
}

/** Takes roles their passwords and their connections; one that does not exist has none. */
export async function refuseLogins(client: Client, roles: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ role: string }>(
    'select rolname as role from pg_roles where rolname = any($1)',
    [roles],
  );
  const existing = rows.map(({ role }) => role);
  // First of all: where it is refused, nothing has changed. Roles made by earlier versions were not granted.
  for (const role of existing) await actFor(client, role);
  for (const role of existing) await client.query(`ALTER ROLE ${escapeIdentifier(role)} NOLOGIN PASSWORD NULL`);
  if (existing.length > 0) await endSessions(client, existing);
}

const rights = 'NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION';

/** Whether the server has a role. */
export async function roleExists(client: Client, role: string): Promise<boolean> {
  const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [role]);
  return rowCount !== 0;
}
