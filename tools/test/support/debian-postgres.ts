// @boundaries-ignore one starter of an installed Postgres serves both
import { serverPassword, startServer } from '../../../packages/database/test/support/postgres-server.ts';

/** A Postgres server of the version whose programs are installed, which the embedded one need not be. */
export interface DebianPostgres extends AsyncDisposable {
  readonly password: string;
  /** Of the superuser. */
  url(database: string): string;
}

export async function startDebianPostgres(): Promise<DebianPostgres> {
  const { url, stop } = await startServer();
  return { password: serverPassword, url, [Symbol.asyncDispose]: stop };
}
