import { escapeIdentifier, escapeLiteral } from 'pg';
import type { Databases } from '../ports/databases.ts';
import { type AdminConnection, createAdminConnection } from './admin-connection.ts';
import { dropRole } from './drop-role.ts';
import {
  connectionLimits,
  createLoginRole,
  createOwnerRole,
  externalPassword,
  type LoginSlot,
  loginSlots,
  refuseLogins,
} from './login-roles.ts';
import { closeOpenDatabases, privateDatabaseNames } from './private-databases.ts';

const databaseNamePattern = /^sp_[0-9a-f]{12}$/;
// Any number; the same in every version of this program.
const lock = 7_300_002;
const dropMark = 'deleted by its owner through SystemPrompt Cloud';

/**
 * A role and a database for each tenant on one Postgres server. The database belongs to a role that nobody can log in
 * as; the login roles are members of it, so that the password's owner can change without changing what owns the tables.
 *
 * The external URL has a role and a password of its own, which do not lead to those of the machine: so access from
 * outside ends whatever the network lets through.
 */
export function createPostgresDatabases(options: {
  /** Of a role that may make roles and databases; holds its password. */
  readonly adminUrl: string;
  /** The server as people reach it from elsewhere. @defaultValue the host of `adminUrl` */
  readonly externalHost?: string | undefined;
  /** The control plane's own database, where it may be on the same server. @defaultValue `adminUrl` */
  readonly controlUrl?: string | undefined;
}): Databases {
  const admin = createAdminConnection(options.adminUrl);
  const url = (role: string, request: { password: string; host: string; databaseName: string }): string =>
    `postgresql://${role}:${encodeURIComponent(request.password)}@${request.host}:${admin.port}/${request.databaseName}${admin.isEncrypted ? '?sslmode=require' : ''}`;

  const urls: Databases['urls'] = ({ databaseName, password, machineHost, login = 'app' }) => {
    const { own, external } = rolesOf(databaseName, login);
    return {
      internalUrl: url(own, { password, host: machineHost, databaseName }),
      externalUrl: url(external, {
        password: externalPassword(password),
        host: options.externalHost ?? admin.hostname,
        databaseName,
      }),
    };
  };

  return {
    urls,

    prepare: async () => {
      const control = options.controlUrl ?? options.adminUrl;
      const names = [...privateDatabaseNames(control), ...privateDatabaseNames(options.adminUrl)];
      const controlRole = decodeURIComponent(new URL(control).username);
      await admin.use(undefined, (client) => closeOpenDatabases(client, { names, controlRole }));
    },

    create: async (request) => {
      const { databaseName, password, login = 'app' } = request;
      const { own } = rolesOf(databaseName, login);
      await inTurn(admin, databaseName, async (client) => {
        await createOwnerRole(client, databaseName);
        await createLoginRole(client, { owner: databaseName, role: own, password, limit: connectionLimits.machine });
        await createDatabase(client, databaseName);
        await admitRole(client, { databaseName, role: own });
        // Also in turn: Postgres refuses to change the same rights twice at once.
        await admin.use(databaseName, async (inside) => {
          await inside.query(`ALTER SCHEMA public OWNER TO ${escapeIdentifier(databaseName)}`);
          await inside.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
        });
      });
      return urls(request);
    },

    setExternalAccess: async ({ databaseName, ...access }) => {
      await inTurn(admin, databaseName, async (client) => {
        if (!access.enabled) {
          await refuseLogins(
            client,
            loginSlots.map((slot) => rolesOf(databaseName, slot).external),
          );
          return;
        }
        const { login, password } = access;
        const role = rolesOf(databaseName, login).external;
        const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [databaseName]);
        if (rowCount === 0) return;
        await createLoginRole(client, {
          owner: databaseName,
          role,
          password: externalPassword(password),
          limit: connectionLimits.external,
        });
        await admitRole(client, { databaseName, role });
      });
    },

    disableLogin: async ({ databaseName, login }) => {
      const { own, external } = rolesOf(databaseName, login);
      await inTurn(admin, databaseName, (client) => refuseLogins(client, [external, own]));
    },

    list: async () =>
      await admin.use(undefined, async (client) => {
        const names = `'^sp_[0-9a-f]{12}(_(app|alt)(_ext)?)?$'`;
        const [databases, roles] = [
          await client.query<{ name: string; comment: string | null }>(
            `select datname as name, shobj_description(oid, 'pg_database') as comment
             from pg_database where datname ~ ${names}`,
          ),
          await client.query<{ name: string; login: boolean; connected: boolean }>(
            `select rolname as name, rolcanlogin as login,
               exists (select 1 from pg_stat_activity where usesysid = pg_roles.oid) as connected
             from pg_roles where rolname ~ ${names}`,
          ),
        ];
        const existing = new Set(databases.rows.map(({ name }) => name));
        const open = new Set(roles.rows.filter(({ login }) => login).map(({ name }) => name));
        const left = new Set(roles.rows.filter(({ login, connected }) => connected && !login).map(({ name }) => name));
        const all = new Set([...existing, ...roles.rows.map(({ name }) => name.slice(0, 'sp_'.length + 12))]);
        return [...all].sort().map((databaseName) => ({
          databaseName,
          exists: existing.has(databaseName),
          dropped: databases.rows.some(({ name, comment }) => name === databaseName && comment === dropMark),
          logins: loginSlots.filter((slot) => open.has(rolesOf(databaseName, slot).own)),
          external: loginSlots.filter((slot) => open.has(rolesOf(databaseName, slot).external)),
          lingering: loginSlots.filter((slot) =>
            Object.values(rolesOf(databaseName, slot)).some((role) => left.has(role)),
          ),
        }));
      }),

    drop: async (databaseName) => {
      const logins = loginSlots.flatMap((slot) => Object.values(rolesOf(databaseName, slot)));
      const keptRoles: string[] = [];
      await inTurn(admin, databaseName, async (client) => {
        const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [databaseName]);
        // Found by whoever looks after a crash at this point: a database that came back from a backup has no mark.
        if (rowCount !== 0) {
          await client.query(`COMMENT ON DATABASE ${escapeIdentifier(databaseName)} IS ${escapeLiteral(dropMark)}`);
        }
        // Whatever of a role cannot be dropped: nobody comes in with it any more.
        await refuseLogins(client, [...logins, databaseName]);
        await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(databaseName)} WITH (FORCE)`);
        for (const role of [...logins, databaseName]) {
          if (!(await dropRole(client, { admin, role }))) keptRoles.push(role);
        }
      });
      return { keptRoles };
    },
  };
}

function rolesOf(databaseName: string, slot: LoginSlot): { readonly own: string; readonly external: string } {
  if (!databaseNamePattern.test(databaseName)) throw new Error(`Not a tenant's database name: ${databaseName}`);
  return { own: `${databaseName}_${slot}`, external: `${databaseName}_${slot}_ext` };
}

// Two processes that repeat the same step would both find nothing and both create.
async function inTurn(
  admin: AdminConnection,
  databaseName: string,
  work: Parameters<AdminConnection['use']>[1],
): Promise<void> {
  await admin.use(undefined, async (client) => {
    await client.query('select pg_advisory_lock($1, hashtext($2))', [lock, databaseName]);
    await work(client);
  });
}

type Connection = Parameters<Parameters<AdminConnection['use']>[1]>[0];

async function createDatabase(client: Connection, databaseName: string): Promise<void> {
  const name = escapeIdentifier(databaseName);
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [databaseName]);
  if (rowCount === 0) {
    // Copying template0 also works while somebody is connected to template1.
    await client.query(`CREATE DATABASE ${name} OWNER ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  }
  await client.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
  await client.query(`ALTER DATABASE ${name} CONNECTION LIMIT ${connectionLimits.database}`);
}

async function admitRole(
  client: Connection,
  request: { readonly databaseName: string; readonly role: string },
): Promise<void> {
  const name = escapeIdentifier(request.databaseName);
  const role = escapeIdentifier(request.role);
  // Objects made through a login role belong to the owner.
  await client.query(`ALTER ROLE ${role} IN DATABASE ${name} SET role TO ${name}`);
  await client.query(`GRANT CONNECT, TEMPORARY ON DATABASE ${name} TO ${role}`);
}
