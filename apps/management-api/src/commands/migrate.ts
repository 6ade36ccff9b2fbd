import { migrateStore } from '../store/migrate.ts';
import { defineCommand } from './define-command.ts';
import { countLackingMigrations, openDatabase } from './open-database.ts';
import { readConfiguration } from './read-configuration.ts';
import { runCommand } from './run-command.ts';

/** What `migrate` did. */
export interface MigrateResult {
  /** `up_to_date`: there was nothing to do. */
  readonly status: 'migrated' | 'up_to_date';
}

/** `sp-management-api migrate`: brings the database up to this version, while older replicas go on. */
export const migrateCommand = defineCommand({
  command: 'migrate',
  describe: 'Bring the database up to this version; safe to repeat, and while others run.',
  options: {},
  run: ({ json }) =>
    runCommand<MigrateResult>({ json, toText: ({ status }) => texts[status] }, async () => {
      const { databaseUrl } = readConfiguration();
      const store = await openDatabase(databaseUrl);
      try {
        if ((await countLackingMigrations(store)) === 0) return { status: 'up_to_date' };
        await migrateStore(store);
        return { status: 'migrated' };
      } finally {
        await store.close();
      }
    }),
});

const texts: Readonly<Record<MigrateResult['status'], string>> = {
  migrated: 'The database was brought up to this version.',
  up_to_date: 'The database is up to date.',
};
