import { Client } from 'pg';

/** Runs statements as the role that makes roles and databases. */
export interface AdminConnection {
  readonly hostname: string;
  readonly port: string;
  /** Whether the address asks for TLS. */
  readonly isEncrypted: boolean;
  /** Does something on a connection of its own, to the database named or to the address's own. */
  use<T>(database: string | undefined, work: (client: Client) => Promise<T>): Promise<T>;
}

/** Opens nothing yet. The password is in no error: neither in the address's nor in a connection's. */
export function createAdminConnection(url: string): AdminConnection {
  // What `URL` throws has the address with it.
  if (!URL.canParse(url)) throw new Error("The address of the tenants' Postgres server is not a URL");
  const admin = new URL(url);
  return {
    hostname: admin.hostname,
    port: admin.port || '5432',
    isEncrypted: ['require', 'verify-ca', 'verify-full'].includes(admin.searchParams.get('sslmode') ?? ''),
    use: async (database, work) => {
      const address = new URL(admin);
      if (database !== undefined) address.pathname = `/${database}`;
      const client = new Client({ connectionString: address.href, application_name: 'sp-management-api' });
      client.on('error', () => {});
      await client.connect();
      try {
        return await work(client);
      } finally {
        await client.end();
      }
    },
  };
}
