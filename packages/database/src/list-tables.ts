import { type Connection, type ConnectOptions, withConnection } from './connect.ts';
import { parseDatabaseUrl } from './database-address.ts';

/** A table of a database. */
export interface TableSummary {
  /** Schema that it is in. */
  readonly schema: string;
  /** Its name, without quotes. */
  readonly name: string;
  /** What it is. */
  readonly kind: 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table';
  /** How many rows the server thinks it has; absent before the first ANALYZE, and for views. */
  readonly estimatedRows?: number | undefined;
  /** With its indexes and large values. */
  readonly bytes: number;
}

const kinds = { r: 'table', p: 'partitioned table', v: 'view', m: 'materialized view', f: 'foreign table' } as const;

interface Row {
  readonly schema: string;
  readonly name: string;
  readonly kind: keyof typeof kinds;
  readonly rows: number;
  readonly bytes: string;
}

/**
 * The tables and views of a database, by schema and name; the server's own are left out.
 * @throws {DatabaseError}
 */
export async function listTables(url: string, options: ConnectOptions = {}): Promise<readonly TableSummary[]> {
  const rows = await withConnection(
    parseDatabaseUrl(url),
    async (connection) =>
      await connection.unsafe<Row[]>(`
        select n.nspname as schema, c.relname as name, c.relkind as kind, c.reltuples::float8 as rows,
          pg_total_relation_size(c.oid)::text as bytes
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm', 'f') and ${ownSchemas}
        order by 1, 2`),
    options,
  );
  return rows.map(({ schema, name, kind, rows: estimate, bytes }) => ({
    schema,
    name,
    kind: kinds[kind],
    bytes: Number(bytes),
    ...(kind === 'v' || estimate < 0 ? {} : { estimatedRows: estimate }),
  }));
}

/** Rows of each table of a database, counted. */
export type RowCounts = Readonly<Record<string, number>>;

/** Counts the rows of every table, in the transaction that the connection is in. Keys are `schema.table`. */
export async function countRows(connection: Connection): Promise<RowCounts> {
  const tables = await connection.unsafe<{ name: string; quoted: string }[]>(`
    select n.nspname || '.' || c.relname as name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as quoted
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and ${ownSchemas} and ${notOfAnExtension}
    order by 1`);
  const counts: [string, number][] = [];
  for (const { name, quoted } of tables) {
    const [row] = await connection.unsafe<{ rows: string }[]>(`select count(*)::text as rows from only ${quoted}`);
    counts.push([name, Number(row?.rows)]);
  }
  return Object.fromEntries(counts);
}

const ownSchemas = `n.nspname not in ('information_schema', 'pg_catalog', 'pg_toast') and n.nspname !~ '^pg_(toast_)?temp_'`;
// pg_dump leaves the rows of an extension's own tables to the extension.
const notOfAnExtension = `not exists (select 1 from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')`;
