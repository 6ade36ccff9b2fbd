import { Client } from 'pg';

/** Runs statements on one connection. */
export async function run(url: string, ...statements: readonly string[]): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    let rows: unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
    return rows;
  } finally {
    await client.end();
  }
}

/** A connection that stays, and when it was ended. */
export async function hold(url: string): Promise<{ readonly client: Client; readonly ended: Promise<void> }> {
  const client = new Client({ connectionString: url });
  const ended = new Promise<void>((done) => {
    client.on('error', () => done());
    client.on('end', () => done());
  });
  await client.connect();
  return { client, ended };
}

/** The address of a database on a server whose superuser's address is given. */
export function databaseAt(url: string, databaseName: string): string {
  const address = new URL(url);
  address.pathname = `/${databaseName}`;
  return address.href;
}

/**
 * What the operator's pages ask for, and what a hosted Postgres gives to its customer: a role that may make roles and
 * databases, and nothing else. Returns the address of its database.
 */
export async function makePlainRole(superuserUrl: string): Promise<string> {
  await run(
    superuserUrl,
    `create role cloud_admin login createrole createdb password 'cloud-admin-password'`,
    'create database control owner cloud_admin',
  );
  const url = new URL(databaseAt(superuserUrl, 'control'));
  url.username = 'cloud_admin';
  url.password = 'cloud-admin-password';
  return url.href;
}
