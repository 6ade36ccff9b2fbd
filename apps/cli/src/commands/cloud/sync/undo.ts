import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { exitCodes } from '../../../exit-codes.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';
import { count } from '../../../output/count.ts';
import { findSync } from '../../../sync/find-sync.ts';

/** What `cloud sync undo` answers. */
export interface SyncUndoResult {
  readonly tenantId: string;
  readonly tenantName: string;
  /** The sync that was taken back. */
  readonly of: string;
  /** Names the taking back, which can be taken back itself. */
  readonly id: string;
  /** Paths changed in the tenant. */
  readonly up: readonly string[];
  /** Paths changed in the project. */
  readonly down: readonly string[];
  /** Paths left alone, because somebody has changed them since. */
  readonly left: readonly string[];
}

export default class SyncUndo extends BaseCommand {
  static override summary = 'Take the last sync back, on both sides.';
  static override description =
    'What it replaced or deleted is there again. Files that were changed since are left alone (exit code 11).';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override args = {
    sync: Args.string({
      ignoreStdin: true,
      name: 'SYNC',
      description: 'The id of a sync, as it was answered; without it the last one.',
    }),
  };
  static override flags = { tenant: tenantFlag, profile: profileFlag };

  async run(): Promise<SyncUndoResult> {
    const { args, flags } = await this.parse(SyncUndo);
    const { id, name, label, options } = await findSync(this.context, {
      ...flags,
      command: `${this.config.bin} cloud sync undo`,
    });
    const { undoSync } = await import('@sp/sync');
    const undone = await undoSync({ ...options, id: args.sync });
    const { up, down, left } = undone;
    this.log(`Took back ${count(up.length, 'file')} in ${label} and ${down.length} here`);
    for (const path of left) this.log(`left alone: ${path} was changed since`);
    if (left.length > 0) process.exitCode = exitCodes.partlyDone;
    return { tenantId: id, tenantName: name, of: undone.of, id: undone.id, up, down, left };
  }
}
