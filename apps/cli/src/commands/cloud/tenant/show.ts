import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { renderFields } from '../../../output/table.ts';
import { listTenants, pickTenant } from '../../../tenant-listing.ts';

/** What `cloud tenant show` answers. Credentials are not part of it. */
export interface TenantShowResult {
  readonly id: string;
  readonly name: string;
  readonly tenantType: 'local' | 'cloud';
  readonly appId?: string | undefined;
  readonly hostname?: string | undefined;
  readonly region?: string | undefined;
  readonly plan?: string | undefined;
  readonly subscriptionStatus?: string | undefined;
  /** Where the tenant stands now, such as `running`; absent when the API was out of reach. */
  readonly status?: string | undefined;
  readonly message?: string | undefined;
  /** The tenant's page, once it runs. */
  readonly url?: string | undefined;
  readonly hasDatabase: boolean;
}

export default class TenantShow extends BaseCommand {
  static override summary = 'Show one tenant.';
  static override description = 'Without ID: the only tenant there is. Passwords and tokens are never shown.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> hello --json',
  ];
  static override args = {
    id: Args.string({ name: 'ID', description: 'Id or name of a tenant.', env: 'SYSTEMPROMPT_TENANT' }),
  };

  async run(): Promise<TenantShowResult> {
    const { args } = await this.parse(TenantShow);
    const { interactive, signal } = this.context;
    const { stored, info } = await pickTenant(await listTenants(this.context), {
      idOrName: args.id,
      interactive,
      command: (id) => `${this.config.bin} cloud tenant show ${id}`,
    });
    const now =
      info === undefined ? undefined : await (await this.context.api()).tenants.getStatus(info.id, { signal });
    const result: TenantShowResult = {
      id: stored.id,
      name: stored.name,
      tenantType: stored.tenantType,
      appId: stored.appId,
      hostname: stored.hostname,
      region: stored.region,
      plan: info?.plan?.name,
      subscriptionStatus: info?.subscriptionStatus,
      status: now?.status,
      message: now?.message,
      url: now?.appUrl,
      hasDatabase: Boolean(stored.tenantType === 'cloud' ? stored.internalDatabaseUrl : stored.databaseUrl),
    };
    const { id, name, tenantType, status, message, url, plan, region, hostname } = result;
    this.log(
      renderFields({
        Name: name,
        Id: id,
        Type: tenantType,
        Status: status,
        Message: message,
        URL: url,
        Plan: plan,
        Region: region,
        Host: hostname,
      }),
    );
    return result;
  }
}
