import type { CloudApiClient } from '@sp/cloud-api';
import { BaseCommand } from '../../base-command.ts';
import { tenantFlag } from '../../flags.ts';
import { renderFields, renderTable } from '../../output/table.ts';
import { listProjectProfiles, type ProfileSummary } from '../../profile-listing.ts';
import { type ListedTenant, listTenants, pickTenant } from '../../tenant-listing.ts';

/** A tenant in `cloud status`. */
export interface TenantState {
  readonly id: string;
  readonly name: string;
  /** `unknown` when the API was out of reach. */
  readonly status: string;
  readonly url?: string | undefined;
  readonly message?: string | undefined;
  /** Profiles of this project that deploy to it. */
  readonly profiles: readonly string[];
}

/** What `cloud status` answers. */
export interface StatusResult {
  readonly project: string;
  readonly profiles: readonly ProfileSummary[];
  readonly credentials: { readonly userEmail: string; readonly apiUrl: string; readonly tokenStatus: string };
  readonly tenants: readonly TenantState[];
}

export default class Status extends BaseCommand {
  static override summary = 'Show this project: who is logged in, its profiles, and how its tenants are.';
  static override description = 'Asks the API for every tenant. Without a connection, tenants are `unknown`.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --tenant hello --json',
  ];
  static override flags = { tenant: tenantFlag };

  async run(): Promise<StatusResult> {
    const { flags } = await this.parse(Status);
    const project = this.context.requireProject();
    const { tokenStatus } = await import('@sp/credentials');
    const { credentials: known } = await this.context.credentials();
    const credentials = { userEmail: known.userEmail, apiUrl: known.apiUrl, tokenStatus: tokenStatus(known.apiToken) };
    const profiles = await listProjectProfiles(this.context, project);
    const all = await listTenants(this.context);
    const wanted = flags.tenant === undefined ? all : [await this.pick(all, flags.tenant)];
    const api = await this.context.api();
    const tenants = await Promise.all(wanted.map((tenant) => this.stateOf(tenant, profiles, api)));
    this.log(
      renderFields({
        Project: project.root,
        User: credentials.userEmail || undefined,
        API: credentials.apiUrl,
        Token: credentials.tokenStatus,
        Profiles: profiles.map(({ name }) => name).join(', ') || '–',
      }),
    );
    if (tenants.length > 0) {
      const rows = tenants.map(({ name, status, url, message }) => [name, status, url ?? '–', message ?? '']);
      this.log(`\n${renderTable(['TENANT', 'STATUS', 'URL', ''], rows)}`);
    }
    return { project: project.root, profiles, credentials, tenants };
  }

  private pick(tenants: readonly ListedTenant[], idOrName: string): Promise<ListedTenant> {
    return pickTenant(tenants, {
      idOrName,
      interactive: false,
      command: (id) => `${this.config.bin} cloud status --tenant ${id}`,
    });
  }

  private async stateOf(
    { stored: { id, name }, info }: ListedTenant,
    profiles: readonly ProfileSummary[],
    api: CloudApiClient,
  ): Promise<TenantState> {
    const mine = profiles.filter(({ tenantId }) => tenantId === id).map((profile) => profile.name);
    if (info === undefined) return { id, name, status: 'unknown', profiles: mine };
    const { status, appUrl, message } = await api.tenants.getStatus(id, { signal: this.context.signal });
    return { id, name, status, url: appUrl, message, profiles: mine };
  }
}
