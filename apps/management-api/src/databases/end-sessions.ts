import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';

// A session that is told to end does so at its next look; one that runs a query may take a moment.
const patienceMs = 10_000;
const pauseMs = 50;

/**
 * Ends every session of roles that nobody can log in as any more, and returns when there are none.
 * @throws when they do not end
 */
export async function endSessions(client: Client, roles: readonly string[]): Promise<void> {
  const until = performance.now() + patienceMs;
  // A login that was under way while its role was closed shows up a moment later: so the last look is a second one.
  for (let quiet = 0; quiet < 2; await delay(pauseMs)) {
    const { rowCount } = await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where usename = any($1)',
      [roles],
    );
    quiet = rowCount === 0 ? quiet + 1 : 0;
    if (quiet === 0 && performance.now() > until) throw new Error(`Sessions of ${roles.join(', ')} do not end`);
  }
}
