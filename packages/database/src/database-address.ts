import { DatabaseError } from './database-error.ts';

/** How a connection is encrypted, in libpq's words. */
export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-full';

/** Where a database is, and who logs in. */
export interface DatabaseAddress {
  /** Name or address, without brackets. */
  readonly host: string;
  /** 5432 where the URL names none. */
  readonly port: number;
  /** Who logs in. */
  readonly user: string;
  /** As it is, without escapes; `undefined` when the URL has none. */
  readonly password: string | undefined;
  /** Named as the user where the URL names none. */
  readonly database: string;
  /** How the connection is encrypted. */
  readonly tls: TlsMode;
  /** A file with the certificates to trust. @defaultValue those of the system */
  readonly rootCertificate: string | undefined;
}

const tlsModes: Readonly<Record<string, TlsMode>> = {
  disable: 'disable',
  allow: 'prefer',
  prefer: 'prefer',
  require: 'require',
  'verify-ca': 'verify-full',
  'verify-full': 'verify-full',
};

/**
 * Reads `postgres://user:password@host:port/database?sslmode=require`. The port is 5432 and the database is named as the
 * user where they are left out; without `sslmode` the connection is encrypted when the server can.
 * @throws {DatabaseError} SP_DATABASE_URL_INVALID; the message does not repeat the URL
 */
export function parseDatabaseUrl(url: string): DatabaseAddress {
  const invalid = (problem: string): DatabaseError =>
    new DatabaseError('SP_DATABASE_URL_INVALID', `The database URL is invalid: ${problem}`);
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw invalid('it is no URL');
  }
  if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:') {
    throw invalid(`it starts with ${parsed.protocol}// and not with postgres://`);
  }
  if (parsed.hostname === '') throw invalid('it names no host');
  if (parsed.username === '') throw invalid('it names no user');
  let [user, password, database] = ['', '', ''];
  try {
    user = decodeURIComponent(parsed.username);
    password = decodeURIComponent(parsed.password);
    database = decodeURIComponent(parsed.pathname.slice(1)) || user;
  } catch {
    throw invalid('it has a % that is no escape');
  }
  if (/[\0\n\r]/.test(user + password + database)) throw invalid('it has control characters');
  const mode = parsed.searchParams.get('sslmode') ?? 'prefer';
  const tls = tlsModes[mode];
  if (tls === undefined || !Object.hasOwn(tlsModes, mode)) throw invalid('its sslmode is none that Postgres knows');
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? 5432 : Number(parsed.port),
    user,
    password: password === '' ? undefined : password,
    database,
    tls,
    rootCertificate: parsed.searchParams.get('sslrootcert') ?? undefined,
  };
}

/** `host:port/database`, to show. */
export function showAddress({ host, port, database }: DatabaseAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}

/** The variables by which Postgres' own programs take an address, so that no password is in their arguments. */
export function toPostgresEnvironment(address: DatabaseAddress): Record<string, string> {
  return {
    PGHOST: address.host,
    PGPORT: String(address.port),
    PGUSER: address.user,
    PGDATABASE: address.database,
    PGSSLMODE: address.tls,
    PGCONNECT_TIMEOUT: '15',
    ...(address.password === undefined ? {} : { PGPASSWORD: address.password }),
    ...(address.tls === 'verify-full' ? { PGSSLROOTCERT: address.rootCertificate ?? 'system' } : {}),
  };
}
