import { Flags } from '@oclif/core';
import type { TableSummary } from '@sp/database';
import { BaseCommand } from '../../../base-command.ts';
import { findDatabase } from '../../../database/find-database.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';
import { formatBytes } from '../../../output/bytes.ts';
import { renderTable } from '../../../output/table.ts';

/** What `cloud db tables` answers. */
export interface DbTablesResult {
  readonly tables: readonly TableSummary[];
  readonly total: number;
}

export default class DbTables extends BaseCommand {
  static override summary = 'List the tables of a database.';
  static override description = 'Rows are as many as the server thinks; their number is counted by a backup.';
  static override examples = ['<%= config.bin %> <%= command.id %> --filter user'];
  static override flags = {
    filter: Flags.string({
      summary: 'Only tables with this text in their name.',
      env: 'SYSTEMPROMPT_FILTER',
      helpValue: 'TEXT',
    }),
    tenant: tenantFlag,
    profile: profileFlag,
  };

  async run(): Promise<DbTablesResult> {
    const { flags } = await this.parse(DbTables);
    const { filter = '' } = flags;
    const { url, label } = await findDatabase(this.context, {
      ...flags,
      command: `${this.config.bin} cloud db tables`,
    });
    const { listTables } = await import('@sp/database');
    const { awaitAnswer, signal } = this.context;
    const all = await awaitAnswer(`the database of the ${label}`, () => listTables(url, { signal }));
    const tables = all.filter(({ schema, name }) => `${schema}.${name}`.toLowerCase().includes(filter.toLowerCase()));
    if (tables.length === 0) this.log(`The database of the ${label} has no ${filter === '' ? 'tables' : 'such table'}`);
    else {
      const rows = tables.map(({ schema, name, kind, estimatedRows, bytes }) => [
        `${schema}.${name}`,
        kind,
        estimatedRows === undefined ? '–' : String(estimatedRows),
        formatBytes(bytes),
      ]);
      this.log(renderTable(['NAME', 'KIND', 'ROWS', 'SIZE'], rows));
    }
    return { tables, total: tables.length };
  }
}
