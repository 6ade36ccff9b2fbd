import { DatabaseError, type RowDifference } from './database-error.ts';
import type { RowCounts } from './list-tables.ts';

/**
 * Checks that tables have the rows that they should have.
 * @throws {DatabaseError} SP_DATABASE_ROWS_DIFFER with every difference
 */
export function compareRows(
  found: RowCounts,
  options: {
    readonly expected: RowCounts;
    readonly address: string;
    /** Whether there may be tables that are not expected. */
    readonly others: 'allowed' | 'refused';
  },
): void {
  const { expected, address, others } = options;
  const names = [...Object.keys(expected), ...Object.keys(found).filter((name) => !Object.hasOwn(expected, name))];
  const differences = names
    .map((table): RowDifference => ({ table, expected: own(expected, table), found: own(found, table) }))
    .filter((each) => each.expected !== each.found && !(others === 'allowed' && each.expected === undefined));
  const [first] = differences;
  if (first === undefined) return;
  const rest = differences.length > 1 ? ` and ${differences.length - 1} more` : '';
  const facts = `${first.table} has ${first.found ?? 'no'} rows instead of ${first.expected ?? 'none'}`;
  throw new DatabaseError('SP_DATABASE_ROWS_DIFFER', `The database ${address} is not the same: ${facts}${rest}`, {
    address,
    differences,
  });
}

function own(counts: RowCounts, table: string): number | undefined {
  return Object.hasOwn(counts, table) ? counts[table] : undefined;
}
