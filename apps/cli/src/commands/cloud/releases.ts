import type { Release } from '@sp/cloud-api';
import { BaseCommand } from '../../base-command.ts';
import { profileFlag, tenantFlag } from '../../flags.ts';
import { renderTable } from '../../output/table.ts';
import { findTarget } from '../../tenant/target.ts';

/** What `cloud releases` answers. */
export interface ReleasesResult {
  readonly tenantId: string;
  readonly tenantName: string;
  /** The newest first. */
  readonly releases: readonly Release[];
}

export default class Releases extends BaseCommand {
  static override summary = 'List the releases of a tenant.';
  static override description = 'Each deploy and rollback is one; it keeps its image and its secrets.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --tenant hello --json',
  ];
  static override flags = { tenant: tenantFlag, profile: profileFlag };

  async run(): Promise<ReleasesResult> {
    const { flags } = await this.parse(Releases);
    const command = `${this.config.bin} cloud releases`;
    const { id, name, api } = await findTarget(this.context, { ...flags, command });
    const releases = await api.releases.list(id, { signal: this.context.signal });
    const rows = releases.map(({ number, status, digest, createdAt, rollbackOf, failure }) => [
      String(number),
      status,
      createdAt,
      digest.slice(0, 19),
      failure ?? (rollbackOf === undefined ? '' : `rollback to ${rollbackOf}`),
    ]);
    if (rows.length === 0) this.log(`${name} has no releases yet`);
    else this.log(renderTable(['RELEASE', 'STATUS', 'CREATED', 'DIGEST', ''], rows));
    return { tenantId: id, tenantName: name, releases };
  }
}
