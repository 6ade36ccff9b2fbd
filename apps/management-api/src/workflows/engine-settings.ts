import type { DBOS } from '@dbos-inc/dbos-sdk';
import type { Logger } from 'pino';

/** A database of its own beside ours: its tables are not our schema. */
export function engineDatabase(storeUrl: string): string {
  const url = new URL(storeUrl);
  url.pathname = `${url.pathname}_dbos`;
  return url.href;
}

/** Writes what the engine says into our log. */
export function engineLogger(logger: Logger): NonNullable<Parameters<typeof DBOS.setConfig>[0]['logger']> {
  const child = logger.child({ part: 'workflows' });
  return {
    // The engine tells of every step; that is of interest to nobody but its developers.
    info: (entry) => child.debug(String(entry)),
    debug: (entry) => child.trace(String(entry)),
    warn: (entry) => child.warn(String(entry)),
    error: (entry) => child.error(entry instanceof Error ? entry.message : String(entry)),
  };
}
