import { Args, Flags } from '@oclif/core';
import type { QueryResult } from '@sp/database';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';
import { findDatabase } from '../../../database/find-database.ts';
import { renderResult } from '../../../database/render-result.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';
import { shellWord } from '../../../shell-words.ts';

/** By which Postgres refuses a change. */
const readOnlyTransaction = '25006';

export default class DbQuery extends BaseCommand {
  static override summary = 'Run a statement in the database.';
  static override description =
    'It can change something only with --write. Times, JSON and big numbers are texts, as Postgres writes them.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> "select * from users" --limit 10 --json',
    '<%= config.bin %> <%= command.id %> - --write <change.sql',
  ];
  static override args = {
    sql: Args.string({ ignoreStdin: true, name: 'SQL', description: 'One statement, or - for stdin.', required: true }),
  };
  static override flags = {
    write: Flags.boolean({ summary: 'Let it change something.', env: 'SYSTEMPROMPT_WRITE' }),
    limit: Flags.integer({
      summary: 'Rows at most; the rest is not fetched.',
      default: 1000,
      min: 0,
      env: 'SYSTEMPROMPT_LIMIT',
    }),
    tenant: tenantFlag,
    profile: profileFlag,
  };

  async run(): Promise<QueryResult> {
    const { args, flags } = await this.parse(DbQuery);
    const sql = args.sql === '-' ? await this.context.readStdin() : args.sql;
    if (sql.trim() === '') throw new CliError('SP_CLI_USAGE', 'There is no statement');
    const command = `${this.config.bin} cloud db query`;
    const { url, label } = await findDatabase(this.context, { ...flags, command });
    const { isDatabaseError, runQuery } = await import('@sp/database');
    if (flags.write) this.context.progress.note(`In the database of the ${label}`);
    const { signal } = this.context;
    const options = { limit: flags.limit, readOnly: !flags.write, signal };
    const asked = this.context.awaitAnswer(`the database of the ${label}`, () => runQuery(url, sql, options));
    const result = await asked.catch((error: unknown) => {
      const refused = isDatabaseError(error) && error.sqlState === readOnlyTransaction && !flags.write;
      if (refused) throw Object.assign(error, { next: [`${command} ${shellWord(args.sql)} --write`] });
      throw isDatabaseError(error) ? Object.assign(error, { lastLines: pointAt(sql, error.position) }) : error;
    });
    this.log(renderResult(result));
    return result;
  }
}

/** The line of a statement in which Postgres found something wrong, and below it where. */
function pointAt(sql: string, position: number | undefined): readonly string[] | undefined {
  if (position === undefined) return undefined;
  // Postgres counts characters, not the halves of those beyond 16 bits.
  const before = Array.from(sql)
    .slice(0, position - 1)
    .join('')
    .split('\n');
  const line = sql.split('\n')[before.length - 1] ?? '';
  return line.length > 100 ? undefined : [line, `${' '.repeat(Array.from(before.at(-1) ?? '').length)}^`];
}
