import { resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { confirmByName } from '../../../confirm.ts';
import { findDatabase } from '../../../database/find-database.ts';
import { toolOptions } from '../../../database/tools.ts';
import { confirmFlag, profileFlag, tenantFlag, toolsFlag } from '../../../flags.ts';
import { count } from '../../../output/count.ts';
import { shellWord } from '../../../shell-words.ts';

/** What `cloud db restore` answers. */
export interface DbRestoreResult {
  /** The profile or tenant whose database it is. */
  readonly name: string;
  readonly path: string;
  readonly tables: number;
  readonly rows: number;
  /** Whether the rows were compared with those at the time of the backup, and are the same. */
  readonly compared: boolean;
}

export default class DbRestore extends BaseCommand {
  static override summary = 'Bring a backup back into a database.';
  static override description =
    `All of it or nothing: what fails leaves the database as it was. Needs pg_restore, or psql for SQL. With --replace, tables that are there are replaced; it asks for the name.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> backups/hello.dump --profile staging',
    '<%= config.bin %> <%= command.id %> backups/hello.dump --replace --confirm hello',
  ];
  static override args = {
    file: Args.string({
      ignoreStdin: true,
      name: 'FILE',
      description: 'A backup, or a dump of pg_dump.',
      required: true,
    }),
  };
  static override flags = {
    replace: Flags.boolean({ summary: 'Replace the tables that are there.', env: 'SYSTEMPROMPT_REPLACE' }),
    confirm: confirmFlag,
    tools: toolsFlag,
    tenant: tenantFlag,
    profile: profileFlag,
  };

  async run(): Promise<DbRestoreResult> {
    const { args, flags } = await this.parse(DbRestore);
    const { cwd, progress, signal } = this.context;
    const file = shellWord(args.file);
    const command = `${this.config.bin} cloud db restore ${file}`;
    const { url, name, label, flag } = await findDatabase(this.context, { ...flags, command });
    const { checkBackup, restore } = await import('@sp/database');
    const { path } = await checkBackup(resolve(cwd, args.file), { signal });
    if (flags.replace) {
      const warning = `Restoring replaces the tables in the database of the ${label}.`;
      const again = `${command} --replace ${flag}`;
      await confirmByName(this.context, { name, given: flags.confirm, warning, command: again });
    }
    const step = progress.step('restore', `Restoring into the database of the ${label}`);
    const tools = await toolOptions(this.context, flags.tools);
    const restored = await restore(url, { ...tools, path, replace: flags.replace, signal }).catch((error: unknown) => {
      step.fail();
      throw error;
    });
    const counts = Object.values(restored.rows);
    const rows = counts.reduce((sum, each) => sum + each, 0);
    step.done(`Restored ${count(rows, 'row')} in ${count(counts.length, 'table')}`);
    this.log(`The database of the ${label} is restored from ${path}`);
    return { name, path, tables: counts.length, rows, compared: restored.compared };
  }
}
