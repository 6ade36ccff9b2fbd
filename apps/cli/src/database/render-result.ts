import type { QueryResult, QueryValue } from '@sp/database';
import { dim } from 'ansis';
import { renderTable } from '../output/table.ts';

/** What a statement answered, as text: a table with its number of rows, or what was done. */
export function renderResult({ columns, rows, command, rowCount, truncated }: QueryResult): string {
  if (columns.length === 0) return rowCount > 0 ? `${command} ${rowCount}` : command;
  const cells = rows.map((row) => row.map(renderValue));
  const count = truncated ? `the first ${rowCount} rows` : `${rowCount} ${rowCount === 1 ? 'row' : 'rows'}`;
  return `${renderTable(columns, cells)}\n${dim(`(${count})`)}`;
}

function renderValue(value: QueryValue): string {
  return value === null ? 'NULL' : String(value);
}
