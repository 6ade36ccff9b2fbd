import { tmpdir } from 'node:os';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';
import { confirmByName } from '../../../confirm.ts';
import { findDatabase, findDatabaseByName } from '../../../database/find-database.ts';
import { toolOptions } from '../../../database/tools.ts';
import { confirmFlag, profileFlag, tenantFlag, toolsFlag } from '../../../flags.ts';
import { formatBytes } from '../../../output/bytes.ts';
import { count } from '../../../output/count.ts';
import { shellWord } from '../../../shell-words.ts';

/** What `cloud db clone` answers. */
export interface DbCloneResult {
  readonly from: string;
  readonly to: string;
  readonly tables: number;
  readonly rows: number;
}

export default class DbClone extends BaseCommand {
  static override summary = 'Copy a database into that of another profile or tenant.';
  static override description =
    'Of one moment, in one transaction, and compared by the rows of every table. Needs pg_dump and pg_restore.';
  static override examples = ['<%= config.bin %> <%= command.id %> --profile production --to staging'];
  static override flags = {
    to: Flags.string({
      summary: 'Name of the profile or tenant to copy into.',
      required: true,
      env: 'SYSTEMPROMPT_TO',
      helpValue: 'NAME',
    }),
    replace: Flags.boolean({ summary: 'Replace the tables that are there.', env: 'SYSTEMPROMPT_REPLACE' }),
    confirm: confirmFlag,
    tools: toolsFlag,
    tenant: tenantFlag,
    profile: profileFlag,
  };

  async run(): Promise<DbCloneResult> {
    const { flags } = await this.parse(DbClone);
    const { progress, signal } = this.context;
    const command = `${this.config.bin} cloud db clone --to ${shellWord(flags.to)}`;
    const from = await findDatabase(this.context, { ...flags, command });
    const to = await findDatabaseByName(this.context, flags.to);
    if (from.url === to.url)
      throw new CliError('SP_CLI_USAGE', `The ${from.label} and the ${to.label} have the same database`);
    if (flags.replace) {
      const warning = `Cloning replaces the tables in the database of the ${to.label}.`;
      await confirmByName(this.context, {
        name: to.name,
        given: flags.confirm,
        warning,
        command: `${command} --replace`,
      });
    }
    const { cloneDatabase } = await import('@sp/database');
    const step = progress.step('clone', `Copying the database of the ${from.label} into that of the ${to.label}`);
    const { rows } = await cloneDatabase(from.url, {
      to: to.url,
      temporaryFolder: tmpdir(),
      replace: flags.replace,
      ...(await toolOptions(this.context, flags.tools)),
      signal,
      onProgress: ({ bytes }) => step.tick(`${formatBytes(bytes)} read`, { done: bytes }),
    }).catch((error: unknown) => {
      step.fail();
      throw error;
    });
    const counts = Object.values(rows);
    const total = counts.reduce((sum, each) => sum + each, 0);
    step.done(`Copied ${count(total, 'row')} in ${count(counts.length, 'table')}`);
    this.log(`The database of the ${to.label} is a copy of that of the ${from.label}`);
    return { from: from.name, to: to.name, tables: counts.length, rows: total };
  }
}
