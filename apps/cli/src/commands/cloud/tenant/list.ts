import { Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { listUnfinished } from '../../../local-tenant/unfinished-tenants.ts';
import { renderTable } from '../../../output/table.ts';
import { notOfAccount } from '../../../tenant/of-account.ts';
import { loadListing } from '../../../tenant-listing.ts';

/** One line of `cloud tenant list`. */
export interface TenantListItem {
  readonly id: string;
  readonly name: string;
  readonly tenantType: 'local' | 'cloud';
  readonly region?: string | undefined;
  readonly hostname?: string | undefined;
  /** The API's word for it, such as `active`; absent when the API was out of reach. */
  readonly status?: string | undefined;
  /** Present when the API answered and does not have it: it was deleted, or is another account's. */
  readonly foreign?: true | undefined;
  /** Whether this project knows the tenant's database. */
  readonly hasDatabase: boolean;
}

/** What `cloud tenant list` answers. */
export interface TenantListResult {
  readonly tenants: readonly TenantListItem[];
  readonly total: number;
  /** Whether this is what was known last: the API was not asked, or out of reach. */
  readonly stale: boolean;
  /** When the API last said it; absent: never. */
  readonly syncedAt?: Date | undefined;
}

export default class TenantList extends BaseCommand {
  static override summary = 'List your tenants.';
  static override description =
    'Brings the tenants of this project up to date. Without a connection, shows what was known last.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override flags = {
    cached: Flags.boolean({
      summary: 'Show what was known last, without asking the API.',
      env: 'SYSTEMPROMPT_CACHED',
    }),
  };

  async run(): Promise<TenantListResult> {
    const { flags } = await this.parse(TenantList);
    const { tenants: listed, stale, syncedAt } = await loadListing(this.context, flags);
    const tenants = listed.map(({ stored, info, isForeign }) => ({
      id: stored.id,
      name: stored.name,
      tenantType: stored.tenantType,
      region: stored.region,
      hostname: stored.hostname,
      status: info?.status,
      foreign: isForeign === true ? (true as const) : undefined,
      hasDatabase: Boolean(stored.tenantType === 'cloud' ? stored.internalDatabaseUrl : stored.databaseUrl),
    }));
    for (const { name } of await listUnfinished(this.context.project)) {
      this.context.warn(`The local tenant ${name} is not finished. What to do: ${this.config.bin} cloud doctor`);
    }
    if (tenants.length === 0) this.log('No tenants yet');
    else {
      const rows = tenants.map((tenant) => [
        tenant.name,
        tenant.tenantType,
        tenant.region ?? '–',
        tenant.foreign ? notOfAccount : (tenant.status ?? '–'),
        tenant.hostname ?? '–',
        tenant.id,
      ]);
      this.log(renderTable(['NAME', 'TYPE', 'REGION', 'STATUS', 'HOST', 'ID'], rows));
    }
    return { tenants, total: tenants.length, stale, syncedAt };
  }
}
