import { BaseCommand } from '../../../base-command.ts';
import { exitCodes } from '../../../exit-codes.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';
import { findSync } from '../../../sync/find-sync.ts';
import { renderConflict } from '../../../sync/render-sync.ts';

/** What `cloud sync status` answers. */
export interface SyncStatusResult {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly inSync: boolean;
  /** Paths that this project changed since the last sync. */
  readonly localChanges: readonly string[];
  /** Paths that the tenant changed since: a deploy of this project would lose them. */
  readonly remoteChanges: readonly string[];
  /** Paths that both changed. */
  readonly conflicts: readonly string[];
}

export default class SyncStatus extends BaseCommand {
  static override summary = 'Say how this project and its running tenant differ.';
  static override description = 'Files of services/. Nothing is changed on either side. Exit code 9: they differ.';
  static override examples = ['<%= config.bin %> <%= command.id %> --json'];
  static override flags = { tenant: tenantFlag, profile: profileFlag };

  async run(): Promise<SyncStatusResult> {
    const { flags } = await this.parse(SyncStatus);
    const { bin } = this.config;
    const { id, name, label, options } = await findSync(this.context, {
      ...flags,
      command: `${bin} cloud sync status`,
    });
    const { getSyncStatus } = await import('@sp/sync');
    const { inSync, localChanges, remoteChanges, conflicts } = await getSyncStatus(options);
    if (inSync) this.log(`This project and ${label} have the same files`);
    else {
      for (const path of localChanges) this.log(`here       ${path}`);
      for (const path of remoteChanges) this.log(`tenant     ${path}`);
      for (const conflict of conflicts) this.log(renderConflict(conflict));
      const ways = `${bin} cloud sync down brings the tenant's changes here, ${bin} cloud sync up these there`;
      this.log(`\n${await this.goOn(ways)}`);
      process.exitCode = exitCodes.changesPending;
    }
    const paths = conflicts.map(({ path }) => path);
    return { tenantId: id, tenantName: name, inSync, localChanges, remoteChanges, conflicts: paths };
  }
}
