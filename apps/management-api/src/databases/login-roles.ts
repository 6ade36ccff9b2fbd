import { createHmac } from 'node:crypto';
import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
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
  // Only a superuser may give a database to a role that it is not a member of; from Postgres 16 on, who makes a role may
  // grant it, and is not yet allowed to become it.
  const { rows } = await client.query<{ isSuperuser: boolean }>(
    'select rolsuper as "isSuperuser" from pg_roles where rolname = current_user',
  );
  if (rows[0]?.isSuperuser !== true) await client.query(`GRANT ${escapeIdentifier(owner)} TO CURRENT_USER`);
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

/** Takes a role its password and its connections; one that does not exist has none. */
export async function refuseLogin(client: Client, role: string): Promise<void> {
  if (!(await roleExists(client, role))) return;
  await client.query(`ALTER ROLE ${escapeIdentifier(role)} NOLOGIN PASSWORD NULL`);
  await client.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [role]);
}

const rights = 'NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION';

async function roleExists(client: Client, role: string): Promise<boolean> {
  const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [role]);
  return rowCount !== 0;
}
