import { resolve } from 'node:path';
import { BaseCommand } from '../../../base-command.ts';
import { dataDirFlag } from '../../../flags.ts';
import { defaultDataDirectory } from '../../../local-cloud/data-directory.ts';
import { findLocalCloud, isHealthy, type LocalCloudState } from '../../../local-cloud/state.ts';
import { findTenantPostgres, type TenantPostgres } from '../../../local-tenant/tenant-postgres.ts';
import { renderFields } from '../../../output/table.ts';

/** What `cloud local status` answers. */
export interface LocalStatusResult extends Partial<LocalCloudState> {
  readonly running: boolean;
  /** Whether it answers; only when it runs. */
  readonly healthy?: boolean | undefined;
  /** The embedded Postgres of local tenants; absent: none ever needed one. */
  readonly postgres?: TenantPostgres | undefined;
  readonly dataDir: string;
}

export default class LocalStatus extends BaseCommand {
  static override summary = 'Show whether the local cloud runs, and where.';
  static override description = 'The exit code is 0 whether it runs or not; `running` tells.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override flags = { 'data-dir': dataDirFlag };

  async run(): Promise<LocalStatusResult> {
    const { flags } = await this.parse(LocalStatus);
    const { cwd, env, signal } = this.context;
    const dataDir = resolve(cwd, flags['data-dir'] ?? defaultDataDirectory(env));
    const [state, postgres] = await Promise.all([findLocalCloud(dataDir), findTenantPostgres(env)]);
    if (state === undefined) {
      this.log('No local cloud is running');
      this.tellOf(postgres);
      return { running: false, postgres, dataDir };
    }
    const healthy = await isHealthy(state.url, signal);
    const { url, machines, pid, startedAt } = state;
    this.log(healthy ? 'The local cloud is running' : 'The local cloud runs, but does not answer');
    this.log(renderFields({ URL: url, Machines: machines, Process: String(pid), Since: startedAt, Data: dataDir }));
    this.tellOf(postgres);
    return { running: true, healthy, ...state, postgres, dataDir };
  }

  private tellOf(postgres: TenantPostgres | undefined): void {
    if (postgres === undefined) return;
    const { running, port, dataDir } = postgres;
    this.log(`The Postgres of local tenants ${running ? `runs at port ${port}` : 'is stopped'}: ${dataDir}`);
  }
}
