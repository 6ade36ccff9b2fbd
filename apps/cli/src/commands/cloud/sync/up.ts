import { BaseCommand } from '../../../base-command.ts';
import { runSync, type SyncRunResult } from '../../../sync/run-sync.ts';
import { syncDescription, syncFlags } from '../../../sync/sync-flags.ts';

export default class SyncUp extends BaseCommand {
  static override aliases = ['cloud:sync:push', 'sync:push'];
  static override summary = 'Bring what changed in this project to its running tenant.';
  static override description = syncDescription;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --dry-run --json',
    '<%= config.bin %> <%= command.id %> --profile production --ours',
  ];
  static override flags = syncFlags;

  async run(): Promise<SyncRunResult> {
    const { flags } = await this.parse(SyncUp);
    return await runSync(this.context, {
      direction: 'up',
      flags,
      command: `${this.config.bin} cloud sync up`,
      log: (text) => this.log(text),
      goOn: (text) => this.goOn(text),
    });
  }
}
