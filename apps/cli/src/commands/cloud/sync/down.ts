import { BaseCommand } from '../../../base-command.ts';
import { runSync, type SyncRunResult } from '../../../sync/run-sync.ts';
import { syncDescription, syncFlags } from '../../../sync/sync-flags.ts';

export default class SyncDown extends BaseCommand {
  static override aliases = ['cloud:sync:pull', 'sync:pull'];
  static override summary = 'Bring what changed in the running tenant to this project.';
  static override description = syncDescription;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --dry-run --json',
    '<%= config.bin %> <%= command.id %> --profile production --theirs',
  ];
  static override flags = syncFlags;

  async run(): Promise<SyncRunResult> {
    const { flags } = await this.parse(SyncDown);
    return await runSync(this.context, {
      direction: 'down',
      flags,
      command: `${this.config.bin} cloud sync down`,
      log: (text) => this.log(text),
      goOn: (text) => this.goOn(text),
    });
  }
}
