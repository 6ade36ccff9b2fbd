import { runQuery } from '../../src/index.ts';

/** A database with most of what a database can have. */
export async function fillRichDatabase(url: string, rows = 2_000): Promise<void> {
  const statements = [
    'create schema "Odd schema"',
    `create type mood as enum ('fine', 'so-so')`,
    'create table people (id bigint generated always as identity primary key, name text not null, mood mood, tags text[], data jsonb, born timestamptz, blob bytea, doubled int generated always as (2) stored)',
    'create table "Odd schema"."Tabelle.ü" (id int references people (id), note text)',
    'create table parted (id int, at date) partition by range (at)',
    `create table parted_new partition of parted for values from ('2026-01-01') to ('2027-01-01')`,
    'create view names as select name from people',
    'create materialized view counted as select count(*) as n from people',
    `create function twice(int) returns int language sql immutable as $$ select $1 * 2 $$`,
    'create index people_twice on people (twice(id::int))',
    `insert into people (name, mood, tags, data, born, blob) select 'Ünï ' || n, 'fine', array['a', null, '"'], jsonb_build_object('n', n, 'text', E'\\\\ \\n "'), timestamptz '2026-01-01 00:00:00.123456+00' + n * interval '1 minute', decode(md5(n::text), 'hex') from generate_series(1, ${rows}) n`,
    `insert into "Odd schema"."Tabelle.ü" select id, repeat(md5(id::text), 20) from people where id % 3 = 0`,
    `insert into parted select n, date '2026-01-01' + n from generate_series(1, 100) n`,
    'refresh materialized view counted',
  ];
  for (const statement of statements) await runQuery(url, statement);
}

/** One text that is the same for databases with the same content. */
export async function fingerprint(url: string): Promise<string> {
  const tables = ['people', '"Odd schema"."Tabelle.ü"', 'parted', 'counted', 'names'];
  const sums: unknown[] = [];
  for (const table of tables) {
    const sql = `select count(*)::int, md5(string_agg(t::text, '|' order by t::text)) from ${table} t`;
    sums.push((await runQuery(url, sql)).rows[0]);
  }
  sums.push((await runQuery(url, `select twice(21), nextval(pg_get_serial_sequence('people', 'id')) > 1`)).rows[0]);
  return JSON.stringify(sums);
}
