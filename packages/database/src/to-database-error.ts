import { DatabaseError, isDatabaseError } from './database-error.ts';

/** The driver's error as ours; what is none of the driver's stays as it is. */
export function toDatabaseError(error: unknown, address: string): unknown {
  if (isDatabaseError(error) || !(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  // The driver adds what was asked to every error that comes from the connection.
  if (error.name !== 'PostgresError') {
    if (code === '' && !('query' in error)) return error;
    // System and TLS errors name hosts and certificates, which are no secrets.
    return new DatabaseError(
      'SP_DATABASE_UNREACHABLE',
      `The database ${address} does not answer: ${reasonOf(error, code)}`,
      {
        address,
      },
    );
  }
  if (code === '28P01' || code === '28000') {
    return new DatabaseError(
      'SP_DATABASE_LOGIN_REFUSED',
      `The server of ${address} refused the login: ${error.message}`,
      {
        address,
        sqlState: code,
      },
    );
  }
  if (code === '3D000') {
    return new DatabaseError('SP_DATABASE_NOT_FOUND', `There is no database ${address}`, { address, sqlState: code });
  }
  const position = 'position' in error ? Number(error.position) : Number.NaN;
  return new DatabaseError('SP_DATABASE_QUERY_FAILED', error.message, {
    address,
    sqlState: code,
    ...(Number.isInteger(position) ? { position } : {}),
  });
}

function reasonOf(error: Error, code: string): string {
  // A host with several addresses: one failure for each, and no message for all.
  if (error instanceof AggregateError) {
    return (
      error.errors.map((each: unknown) => (each instanceof Error ? each.message : String(each))).join('; ') || code
    );
  }
  return error.message === '' ? code : error.message;
}
