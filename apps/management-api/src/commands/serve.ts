import type { Logger } from 'pino';
import { migrateStore } from '../store/migrate.ts';
import { defineCommand } from './define-command.ts';
import { exitCodes } from './exit-codes.ts';
import { countLackingMigrations, countLaterMigrations, openDatabase } from './open-database.ts';
import { readConfiguration } from './read-configuration.ts';
import { runCommand } from './run-command.ts';
import { untilSignal } from './until-signal.ts';

// Going back to an earlier version is allowed; nobody should do it unknowingly.
async function warnOfLater(databaseUrl: string, logger: Logger): Promise<void> {
  const store = await openDatabase(databaseUrl);
  try {
    if ((await countLackingMigrations(store)) > 0) return;
    const migrations = await countLaterMigrations(store);
    if (migrations > 0) logger.warn({ migrations }, 'the database is of a later version than this program');
  } finally {
    await store.close();
  }
}

/** `sp-management-api serve`: the control plane, until SIGTERM. stdout is its log. */
export const serveCommand = defineCommand({
  command: 'serve',
  describe: 'Serve the Management API with the providers of the environment, until SIGTERM.',
  epilogue:
    'stdout is its log, one JSON document a line. The first SIGTERM lets load balancers see that it leaves, the second skips that wait.',
  options: {
    migrate: { type: 'boolean', default: false, describe: 'Bring the database up to this version first' },
  },
  run: async ({ json, migrate }) => {
    const asked = untilSignal();
    await runCommand<void>({ json, toText: () => undefined }, async () => {
      const configuration = readConfiguration();
      // Loaded when there is a configuration to serve with.
      const { createServiceLogger } = await import('../serve/create-logger.ts');
      const { startService } = await import('../serve/start-service.ts');
      const logger = createServiceLogger(configuration.logLevel);
      if (migrate) {
        const store = await openDatabase(configuration.databaseUrl);
        try {
          await migrateStore(store);
        } finally {
          await store.close();
        }
      }
      await warnOfLater(configuration.databaseUrl, logger);
      const service = await startService(configuration, { logger, signal: asked.signal }).catch((error: unknown) => {
        if (asked.signal.aborted) return undefined;
        throw error;
      });
      if (service === undefined) return;
      await asked.done;
      await service.stop({ now: asked.again });
      process.exitCode = exitCodes.ok;
    });
  },
});
