import type { CloudApiClient } from '@sp/cloud-api';
import type { Profile } from '../profile/profile.ts';
import type { StoredTenant } from '../store/stored-tenant.ts';
import { loadTenants } from '../store/tenant-store.ts';
import { TenantsError } from '../tenants-error.ts';

/** Which tenant a profile stands for, without its secrets. */
export interface ResolvedTenant {
  /** The server's id, or `local_<hex>`. */
  readonly id: string;
  /** The user's name for it. */
  readonly name: string;
  /** Name of the app that runs its machine. */
  readonly appId?: string | undefined;
  /** Public host without a scheme. */
  readonly hostname?: string | undefined;
  /** Region code, such as `iad`. */
  readonly region?: string | undefined;
}

/** The part of a login that a context needs; `CloudCredentials` of `@sp/credentials` fits. */
export interface ContextCredentials {
  /** The bearer token. A secret. */
  readonly apiToken: string;
  /** The Management API that it is for. */
  readonly apiUrl: string;
}

/** What a context is made of. */
export interface CloudContextOptions<Credentials extends ContextCredentials = ContextCredentials> {
  /** Who is logged in. */
  readonly credentials: Credentials;
  /** Without one, the context has no tenant. */
  readonly profile?: Profile | undefined;
  /** The project's `tenants.json`. */
  readonly tenantsPath: string;
  /** What talks to the Management API. @defaultValue a client of `@sp/cloud-api` for the credentials */
  readonly api?: CloudApiClient | undefined;
}

/** Who works on which tenant, and with which client. A value: make a new one when the login or the profile changes. */
export interface CloudContext<Credentials extends ContextCredentials = ContextCredentials> {
  /** Who is logged in. */
  readonly credentials: Credentials;
  /** What talks to the Management API. */
  readonly api: CloudApiClient;
  /** The profile that it was made with. */
  readonly profile?: Profile | undefined;
  /** None when the profile names no tenant, or the project has no `tenants.json` yet. */
  readonly tenant?: ResolvedTenant | undefined;
  /** Id of the profile's tenant. @throws {@link TenantsError} `SP_PROFILE_INVALID`: there is no tenant */
  tenantId(): string;
  /**
   * Name of the app that runs the tenant's machine.
   *
   * @throws {@link TenantsError} `SP_TENANTS_INVALID`: the tenant has no app yet; `SP_PROFILE_INVALID`
   */
  appId(): string;
}

/**
 * Puts together who is logged in and the tenant that the profile names.
 *
 * @throws {@link TenantsError} `SP_TENANTS_NOT_FOUND` when the store does not know the profile's tenant, and what
 * `loadTenants` throws
 * @example
 * const context = await createCloudContext({ credentials, profile, tenantsPath });
 * await context.api.tenants.getStatus(context.tenantId());
 */
export async function createCloudContext<Credentials extends ContextCredentials>(
  options: CloudContextOptions<Credentials>,
): Promise<CloudContext<Credentials>> {
  const { credentials, profile, tenantsPath, api = await createApi(credentials) } = options;
  const id = profile?.cloud?.tenantId;
  const tenant = id === undefined ? undefined : await findResolved(tenantsPath, id);
  const required = (): ResolvedTenant => {
    if (tenant !== undefined) return tenant;
    const finding = { member: 'cloud.tenant_id', problem: id === undefined ? 'is missing' : 'names no known tenant' };
    const message = `No tenant: ${profile === undefined ? 'there is no profile' : `${finding.member} ${finding.problem}`}`;
    throw new TenantsError('SP_PROFILE_INVALID', message, { path: profile?.path, findings: [finding] });
  };
  return {
    credentials,
    api,
    profile,
    tenant,
    tenantId: () => required().id,
    appId() {
      const { name, appId } = required();
      if (appId !== undefined) return appId;
      throw new TenantsError('SP_TENANTS_INVALID', `Tenant ${name} in ${tenantsPath} has no app`, {
        path: tenantsPath,
        findings: [{ member: 'app_id', problem: 'is missing' }],
      });
    },
  };
}

/** The part of a stored tenant that is no secret. */
function resolvedTenant({ id, name, appId, hostname, region }: StoredTenant): ResolvedTenant {
  return { id, name, appId, hostname, region };
}

async function findResolved(tenantsPath: string, id: string): Promise<ResolvedTenant | undefined> {
  const store = await loadTenants(tenantsPath);
  if (store === undefined) return undefined;
  const tenant = store.tenants.find((candidate) => candidate.id === id);
  if (tenant !== undefined) return resolvedTenant(tenant);
  throw new TenantsError('SP_TENANTS_NOT_FOUND', `No tenant ${id} in ${tenantsPath}`, { path: tenantsPath });
}

/** Loaded here and not at the top: those who only read files pay nothing for the client. */
async function createApi({ apiUrl, apiToken }: ContextCredentials): Promise<CloudApiClient> {
  const { createCloudApiClient } = await import('@sp/cloud-api');
  return createCloudApiClient({ environment: apiUrl, token: apiToken });
}
