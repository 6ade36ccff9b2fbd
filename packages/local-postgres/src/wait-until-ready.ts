import { setTimeout as delay } from 'node:timers/promises';
import { describeDatabase, isDatabaseError } from '@sp/database';
import type { Docker } from './docker.ts';
import { LocalPostgresError } from './local-postgres-error.ts';

/**
 * Waits until Postgres in the container answers.
 * @throws {LocalPostgresError} SP_POSTGRES_NOT_STARTED, SP_POSTGRES_NOT_HEALTHY
 */
export async function waitUntilReady(
  docker: Docker,
  options: {
    readonly name: string;
    readonly adminUrl: string;
    readonly patience: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  const { name, adminUrl, patience, signal } = options;
  for (const deadline = Date.now() + patience; ; ) {
    const found = await docker.find(name);
    // Tried by connecting: Docker looks at its health check every few seconds, and others' containers may have none.
    if (found?.running === true && (await tryLogin(adminUrl, signal)) !== 'no answer') return;
    if (found?.running !== true || Date.now() > deadline) {
      const ended = found?.running !== true;
      const log = await docker.run(['logs', '--tail', '5', name]).catch(() => '');
      const reason = log.trim().split('\n').join('; ') || found?.health || 'it is gone';
      const code = ended ? 'SP_POSTGRES_NOT_STARTED' : 'SP_POSTGRES_NOT_HEALTHY';
      const what = ended ? 'ended' : `did not accept connections within ${patience} ms`;
      throw new LocalPostgresError(code, `Postgres in the container ${name} ${what}: ${reason}`, {
        container: name,
        reason,
      });
    }
    await delay(250, undefined, signal === undefined ? {} : { signal });
  }
}

/** Whether the server answers, and whether it takes the password of the URL. */
export async function tryLogin(
  adminUrl: string,
  signal: AbortSignal | undefined,
): Promise<'ok' | 'refused' | 'no answer'> {
  try {
    await describeDatabase(adminUrl, { connectTimeout: 2_000, signal });
    return 'ok';
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    if (error.code === 'SP_DATABASE_LOGIN_REFUSED') return 'refused';
    // It answers while it starts, and says that it is not ready.
    if (error.code === 'SP_DATABASE_UNREACHABLE' || error.sqlState === '57P03') return 'no answer';
    throw error;
  }
}
