import { type ConnectOptions, withConnection } from './connect.ts';
import { parseDatabaseUrl } from './database-address.ts';

/** What a server says about itself and about who asks. */
export interface DatabaseDescription {
  /** Name or address of the server. */
  readonly host: string;
  /** Of the server. */
  readonly port: number;
  /** Its name. */
  readonly database: string;
  /** The role that was logged in. */
  readonly user: string;
  /** For example `18.4`. */
  readonly serverVersion: string;
  /** For example 18. */
  readonly serverMajor: number;
  /** Whether the connection is encrypted. */
  readonly encrypted: boolean;
  /** What the database takes on the server's disk. */
  readonly bytes: number;
  /** Whether the role may make tables in this database: without it no tenant can use it. */
  readonly canCreateTables: boolean;
  /** Whether the role may make databases on this server. */
  readonly canCreateDatabases: boolean;
}

interface Row {
  readonly version: string;
  readonly database: string;
  readonly user: string;
  readonly encrypted: boolean;
  readonly bytes: string;
  readonly can_create_tables: boolean;
  readonly can_create_databases: boolean;
}

/**
 * Connects, and says what is there and what one may do.
 * @throws {DatabaseError}
 * @example
 * (await describeDatabase('postgres://ada:secret@127.0.0.1/site')).serverMajor; // 18
 */
export async function describeDatabase(url: string, options: ConnectOptions = {}): Promise<DatabaseDescription> {
  const address = parseDatabaseUrl(url);
  return await withConnection(
    address,
    async (connection) => {
      const [row] = await connection.unsafe<Row[]>(`
        select current_setting('server_version') as version, current_database() as database, current_user as "user",
          coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as encrypted,
          pg_database_size(current_database())::text as bytes,
          has_database_privilege(current_database(), 'CREATE')
            or coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), false) as can_create_tables,
          coalesce((select rolcreatedb or rolsuper from pg_roles where rolname = current_user), false) as can_create_databases`);
      if (row === undefined) throw new Error('The server answered without a row.');
      const serverVersion = row.version.split(' ')[0] ?? row.version;
      return {
        host: address.host,
        port: address.port,
        database: row.database,
        user: row.user,
        serverVersion,
        serverMajor: Number.parseInt(serverVersion, 10),
        encrypted: row.encrypted,
        bytes: Number(row.bytes),
        canCreateTables: row.can_create_tables,
        canCreateDatabases: row.can_create_databases,
      };
    },
    options,
  );
}
