import { resolve } from 'node:path';
import { Flags } from '@oclif/core';
import type { Backup, BackupFormat, ToolOptions } from '@sp/database';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';
import { makeBackupFile } from '../../../database/backup-file.ts';
import { findDatabase } from '../../../database/find-database.ts';
import { withScratchServer } from '../../../database/scratch-server.ts';
import { toolOptions } from '../../../database/tools.ts';
import { profileFlag, tenantFlag, toolsFlag } from '../../../flags.ts';
import { formatBytes } from '../../../output/bytes.ts';
import { count } from '../../../output/count.ts';
import { renderFields } from '../../../output/table.ts';
import { shellWord } from '../../../shell-words.ts';

/** What `cloud db backup` answers. */
export interface DbBackupResult {
  readonly path: string;
  readonly format: BackupFormat;
  readonly bytes: number;
  /** Of the file; absent for a folder. */
  readonly sha256?: string | undefined;
  readonly database: string;
  readonly serverVersion: string;
  /** The moment that it shows, ISO 8601. */
  readonly takenAt: string;
  readonly tables: number;
  readonly rows: number;
  /** Whether it was restored into a database of its own, with the same rows. */
  readonly verified: boolean;
}

export default class DbBackup extends BaseCommand {
  static override summary = 'Back up a database into a file.';
  static override description =
    `Needs pg_dump of the server's version. The backup is then restored into a database made for this, and the rows of every table are compared.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --profile hello',
    '<%= config.bin %> <%= command.id %> --output hello.sql --format sql --no-verify --json',
  ];
  static override flags = {
    output: Flags.string({
      char: 'o',
      summary: 'The file; without it backups/<name>-<time>.',
      env: 'SYSTEMPROMPT_OUTPUT',
      helpValue: 'FILE',
    }),
    format: Flags.option({
      options: ['custom', 'sql', 'directory'] as const,
      default: 'custom',
      summary: 'One compressed file, SQL, or a folder with a file per table.',
      env: 'SYSTEMPROMPT_FORMAT',
    })(),
    verify: Flags.boolean({
      default: true,
      allowNo: true,
      summary: 'Try to restore it.',
      env: 'SYSTEMPROMPT_VERIFY',
    }),
    tools: toolsFlag,
    tenant: tenantFlag,
    profile: profileFlag,
  };

  async run(): Promise<DbBackupResult> {
    const { flags } = await this.parse(DbBackup);
    const { cwd, progress, signal } = this.context;
    const { format } = flags;
    if (format === 'directory' && flags.tools === 'docker')
      throw new CliError(
        'SP_CLI_USAGE',
        'A folder is written by pg_dump of this computer only: leave --tools docker out',
      );
    const { url, name, label, flag } = await findDatabase(this.context, {
      ...flags,
      command: `${this.config.bin} cloud db backup`,
    });
    const { backUp } = await import('@sp/database');
    const path = flags.output ?? (await makeBackupFile({ cwd, name, format, now: new Date() }));
    const step = progress.step('backup', `Backing up the database of the ${label}`);
    const tools = await toolOptions(this.context, flags.tools);
    const backup = await backUp(url, {
      path: resolve(cwd, path),
      format,
      ...tools,
      signal,
      onProgress: ({ bytes }) => step.tick(`${formatBytes(bytes)} written`, { done: bytes }),
    }).catch((error: unknown) => {
      step.fail();
      throw error;
    });
    step.done(`Backed up ${formatBytes(backup.bytes)}`);
    const verified = flags.verify && (await this.verify(url, backup, tools));
    const { bytes, sha256, database, serverVersion, takenAt } = backup;
    const counts = Object.values(backup.rows);
    const rows = counts.reduce((sum, each) => sum + each, 0);
    this.log(`The database of the ${label} is backed up${verified ? ', and the backup was restored to try it' : ''}`);
    const next = `${this.config.bin} cloud db restore ${shellWord(backup.path)} ${flag}`;
    this.log(
      renderFields({
        File: backup.path,
        Size: formatBytes(bytes),
        Rows: `${rows} in ${count(counts.length, 'table')}`,
        Restore: next,
      }),
    );
    return {
      path: backup.path,
      format,
      bytes,
      sha256,
      database,
      serverVersion,
      takenAt,
      tables: counts.length,
      rows,
      verified,
    };
  }

  private async verify(url: string, backup: Backup, tools: ToolOptions): Promise<boolean> {
    const { progress, signal } = this.context;
    const { verifyBackup } = await import('@sp/database');
    return await withScratchServer(this.context, url, async (serverUrl) => {
      if (serverUrl === undefined) {
        this.context.warn('The backup was not tried: there is no server here to restore it into.');
        return false;
      }
      const step = progress.step('verify', 'Restoring the backup into a database made for this');
      try {
        await verifyBackup(backup.path, { ...tools, serverUrl, signal });
        step.done('The backup can be restored, with the same rows');
        return true;
      } catch (error) {
        step.fail();
        this.context.warn(`The backup is kept, and was not shown to be restorable: ${backup.path}`);
        throw error;
      }
    });
  }
}
