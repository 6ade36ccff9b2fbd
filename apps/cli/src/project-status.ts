import type { CloudApiClient } from '@sp/cloud-api';
import { describeToken, type TokenDescription } from './auth/describe-token.ts';
import type { Context } from './context.ts';
import { listProjectProfiles, type ProfileSummary } from './profile-listing.ts';
import { notOfAccount } from './tenant/of-account.ts';
import { type ListedTenant, listTenants, pickTenant } from './tenant-listing.ts';

/** How one tenant is. */
export interface TenantState {
  readonly id: string;
  readonly name: string;
  /**
   * `unknown` when the API was out of reach, `local` for a tenant of this computer, `foreign` for one that the API does not
   * have for this account.
   */
  readonly status: string;
  readonly url?: string | undefined;
  readonly message?: string | undefined;
  /** Profiles of this project that deploy to it. */
  readonly profiles: readonly string[];
}

/** How a project is: who is logged in, its profiles, its tenants. */
export interface ProjectStatus {
  readonly project: string;
  readonly profiles: readonly ProfileSummary[];
  readonly credentials: {
    readonly userEmail: string;
    readonly apiUrl: string;
    readonly tokenStatus: TokenDescription['status'];
    /** Whether it is renewed by itself before it expires. */
    readonly renewed: boolean;
  };
  readonly tenants: readonly TenantState[];
}

/** Asks the API about every tenant, or the one named. */
export async function getProjectStatus(
  context: Context,
  { tenant, bin }: { tenant: string | undefined; bin: string },
): Promise<ProjectStatus> {
  const project = context.requireProject();
  const { userEmail, apiUrl, apiToken, refreshToken } = (await context.credentials()).credentials;
  const { status: tokenStatus } = await describeToken(apiToken);
  const profiles = await listProjectProfiles(context, project);
  const all = await listTenants(context);
  const command = (id: string): string => `${bin} cloud status --tenant ${id}`;
  const wanted =
    tenant === undefined ? all : [await pickTenant(all, { idOrName: tenant, interactive: false, command })];
  const api = await context.api();
  const tenants = await Promise.all(wanted.map((each) => stateOf(each, { profiles, api, signal: context.signal })));
  return {
    project: project.root,
    profiles,
    credentials: { userEmail, apiUrl, tokenStatus, renewed: refreshToken !== undefined },
    tenants,
  };
}

async function stateOf(
  { stored: { id, name, tenantType }, info, isForeign }: ListedTenant,
  deps: { profiles: readonly ProfileSummary[]; api: CloudApiClient; signal: AbortSignal },
): Promise<TenantState> {
  const profiles = deps.profiles.filter(({ tenantId }) => tenantId === id).map((profile) => profile.name);
  if (isForeign === true) return { id, name, status: 'foreign', message: notOfAccount, profiles };
  if (info === undefined) return { id, name, status: tenantType === 'local' ? 'local' : 'unknown', profiles };
  const { status, appUrl, message } = await deps.api.tenants.getStatus(id, { signal: deps.signal });
  return { id, name, status, url: appUrl, message, profiles };
}
