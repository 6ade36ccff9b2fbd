import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { dataDirFlag } from '../../../flags.ts';
import { defaultDataDirectory } from '../../../local-cloud/data-directory.ts';

/** What `cloud local logs` answers. */
export interface LocalLogsResult {
  readonly path: string;
  /** Empty when it never ran. */
  readonly lines: readonly string[];
}

export default class LocalLogs extends BaseCommand {
  static override summary = 'Show what the local cloud has logged.';
  static override description = 'Also after it has stopped. The log begins anew at each start.';
  static override examples = ['<%= config.bin %> <%= command.id %> --lines 200'];
  static override flags = {
    'data-dir': dataDirFlag,
    lines: Flags.integer({
      summary: 'How many of the last lines.',
      default: 50,
      min: 1,
      env: 'SYSTEMPROMPT_LOG_LINES',
    }),
  };

  async run(): Promise<LocalLogsResult> {
    const { flags } = await this.parse(LocalLogs);
    const { cwd, env } = this.context;
    const dataDir = resolve(cwd, flags['data-dir'] ?? defaultDataDirectory(env));
    const path = join(dataDir, 'logs', 'server.log');
    const text = await readFile(path, 'utf8').catch(() => '');
    const lines = text.trimEnd() === '' ? [] : text.trimEnd().split('\n').slice(-flags.lines);
    this.log(lines.length === 0 ? `There is no log in ${path}` : lines.join('\n'));
    return { path, lines };
  }
}
