import { Pool } from 'pg';

/** The tenant's own database. */
export interface Database {
  /** Resolves when Postgres answers and the table is there, rejects otherwise. */
  check(): Promise<void>;
  firstGreeting(): Promise<string>;
  close(): Promise<void>;
}

const tableName = 'greetings';

/**
 * Opens the database at `url`. The table is made and filled at the first use that reaches Postgres, so that the server
 * can start before its database does.
 */
export function openDatabase(url: string, log: (message: string) => void): Database {
  const pool = new Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 3000, query_timeout: 5000 });
  // Without this listener, Postgres closing an idle connection would end the process.
  pool.on('error', (error) => log(`database: ${error.message}`));

  let prepared: Promise<void> | undefined;
  const ready = async (): Promise<void> => {
    prepared ??= prepare(pool);
    try {
      await prepared;
    } catch (error) {
      prepared = undefined;
      throw error;
    }
  };

  return {
    check: async () => {
      await ready();
      await pool.query('select 1');
    },
    firstGreeting: async () => {
      await ready();
      const result = await pool.query<{ text: string }>(`select text from ${tableName} order by id limit 1`);
      return result.rows[0]?.text ?? '';
    },
    close: () => pool.end(),
  };
}

/** Two releases may start at the same time; the lock makes the seed row appear once. */
async function prepare(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('hello-tenant'))`);
    await client.query(
      `create table if not exists ${tableName} (id serial primary key, text text not null, created_at timestamptz not null default now())`,
    );
    await client.query(`insert into ${tableName} (text) select $1 where not exists (select from ${tableName})`, [
      `This row was written on ${new Date().toISOString()} & <kept> ever since.`,
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}
