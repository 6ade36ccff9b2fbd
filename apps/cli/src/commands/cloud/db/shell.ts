import { Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';
import { findDatabase } from '../../../database/find-database.ts';
import { runPsql } from '../../../database/run-psql.ts';
import { runShell } from '../../../database/run-shell.ts';
import { toolFolders } from '../../../database/tools.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';

/** What `cloud db shell` answers when it ends. */
export interface DbShellResult {
  readonly name: string;
  readonly program: 'psql' | 'built-in';
}

export default class DbShell extends BaseCommand {
  static override summary = 'Talk to the database.';
  static override description =
    `With psql where it is installed, else with a small shell of its own. Statements can also come on stdin; then the first error ends it.`;
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> <schema.sql'];
  static override flags = {
    'built-in': Flags.boolean({ summary: 'Do not look for psql.', env: 'SYSTEMPROMPT_BUILT_IN' }),
    tenant: tenantFlag,
    profile: profileFlag,
  };

  async run(): Promise<DbShellResult> {
    const { flags } = await this.parse(DbShell);
    if (this.jsonEnabled()) throw new CliError('SP_CLI_USAGE', 'A shell has no document to answer: use cloud db query');
    const { env, signal } = this.context;
    const { url, name, label } = await findDatabase(this.context, {
      ...flags,
      command: `${this.config.bin} cloud db shell`,
    });
    const { isDatabaseError, openSession, parseDatabaseUrl, resolvePostgresTool, toPostgresEnvironment } = await import(
      '@sp/database'
    );
    const terminal = process.stdin.isTTY && process.stdout.isTTY;
    const session = await this.context.awaitAnswer(`the database of the ${label}`, () => openSession(url, { signal }));
    try {
      this.context.progress.note(`In the database of the ${label}`);
      // Any psql talks to any server; what it cannot do is describe the newest ones.
      const psql =
        flags['built-in'] || !terminal
          ? undefined
          : await resolvePostgresTool('psql', {
              serverMajor: 0,
              toolFolders: toolFolders(env),
            }).catch((error: unknown) => {
              if (isDatabaseError(error) && error.code === 'SP_DATABASE_TOOL_MISSING') return undefined;
              throw error;
            });
      if (psql === undefined) {
        await runShell({ session, input: process.stdin, output: process.stdout, terminal, name, signal });
        return { name, program: 'built-in' };
      }
      await session.close();
      process.exitCode = await runPsql(psql.path, { address: toPostgresEnvironment(parseDatabaseUrl(url)), env });
      return { name, program: 'psql' };
    } finally {
      await session.close();
    }
  }
}
