import { Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { findDatabase } from '../../../database/find-database.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';

/** What `cloud db url` answers. */
export interface DbUrlResult {
  /** With `***` for the password, unless it was asked for. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** The profile or tenant that it is of. */
  readonly name: string;
}

export default class DbUrl extends BaseCommand {
  static override summary = 'Show where the database of a tenant or profile is.';
  static override description =
    'The password is shown only with --show: what is on a screen or in a log is known to others.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --profile hello',
    'DATABASE_URL="$(<%= config.bin %> <%= command.id %> --show)" npm run migrate',
  ];
  static override flags = {
    show: Flags.boolean({ summary: 'Show the password too.', env: 'SYSTEMPROMPT_SHOW' }),
    tenant: tenantFlag,
    profile: profileFlag,
  };

  async run(): Promise<DbUrlResult> {
    const { flags } = await this.parse(DbUrl);
    const target = await findDatabase(this.context, { ...flags, command: `${this.config.bin} cloud db url` });
    const { parseDatabaseUrl } = await import('@sp/database');
    const { maskDatabaseUrl } = await import('@sp/tenants');
    const { host, port, database, user } = parseDatabaseUrl(target.url);
    const url = flags.show ? target.url : maskDatabaseUrl(target.url);
    this.log(url);
    return { url, host, port, database, user, name: target.name };
  }
}
