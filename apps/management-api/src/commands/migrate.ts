import { migrateStore } from '../store/migrate.ts';
import { defineCommand } from './define-command.ts';
import { countLackingMigrations, countLaterMigrations, openDatabase } from './open-database.ts';
import { readConfiguration } from './read-configuration.ts';
import { runCommand } from './run-command.ts';

/** What `migrate` did. */
export interface MigrateResult {
  /** `up_to_date`: there was nothing to do; `later_version`: a later version has been there, which this one can live with. */
  readonly status: 'migrated' | 'up_to_date' | 'later_version';
}

/** `sp-management-api migrate`: brings the database up to this version, while older replicas go on. */
export const migrateCommand = defineCommand({
  command: 'migrate',
  describe: 'Bring the database up to this version; safe to repeat, and while others run.',
  epilogue:
    'Later versions only add to the database: replicas of the version before go on working while and after it runs.',
  options: {},
  run: ({ json }) =>
    runCommand<MigrateResult>({ json, toText: ({ status }) => texts[status] }, async () => {
      const { databaseUrl } = readConfiguration();
      const store = await openDatabase(databaseUrl);
      try {
        if ((await countLackingMigrations(store)) === 0) {
          return { status: (await countLaterMigrations(store)) === 0 ? 'up_to_date' : 'later_version' };
        }
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
  later_version: 'The database is of a later version than this program, which it can work with; nothing was changed.',
};
