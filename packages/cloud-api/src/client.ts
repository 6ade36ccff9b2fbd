import type { ActivityRequest } from './contract/activity.ts';
import type {
  AuthorizeUrlRequest,
  CreateDeviceLoginRequest,
  CreateTokenRequest,
  DeviceLogin,
  LoginSession,
  OAuthProvider,
  RevokeTokenRequest,
  TokenResponse,
} from './contract/auth.ts';
import type { CheckoutRequest, CheckoutResponse, CheckoutSession } from './contract/checkout.ts';
import type { DeployRequest, DeployResponse, RegistryToken } from './contract/deploy.ts';
import type { CustomDomain } from './contract/domains.ts';
import type { CheckoutEvent, ProvisioningEvent } from './contract/events.ts';
import type { Plan } from './contract/plan.ts';
import type { DiffSecretsRequest, Release, RollbackRequest, SecretsDiff } from './contract/releases.ts';
import type { ListSecretsResponse } from './contract/secrets.ts';
import { contract } from './contract/table.ts';
import type {
  ExternalDbAccess,
  OperationStatus,
  RotatedCredentials,
  RotatedSyncToken,
  UpdateTenantRequest,
} from './contract/tenant-changes.ts';
import type { Tenant, TenantSecrets, TenantStatus } from './contract/tenants.ts';
import type { TenantInfo, UserMeResponse } from './contract/user.ts';
import { CloudApiError } from './errors.ts';
import { type EventStreamOptions, followEvents } from './event-stream.ts';
import type { CallOptions, CloudApiClientOptions, MutationOptions, UpdateOptions } from './options.ts';
import { parseUrl } from './parse-url.ts';
import { eventOfStatus } from './tenant-look.ts';
import { createTransport } from './transport.ts';

/** The Management API. Every call may throw {@link CloudApiError}. */
export interface CloudApiClient {
  /** Base URL without a trailing slash. */
  readonly baseUrl: string;
  readonly auth: {
    /** The page where a person logs in with a provider. */
    getAuthorizeUrl(provider: OAuthProvider, options: AuthorizeUrlRequest & CallOptions): Promise<string>;
    /**
     * Turns the code of a login, a refresh token or a device login into a token.
     *
     * @throws {CloudApiError} `SP_API_REJECTED` with `serverCode` `invalid_grant`, or while a device login waits:
     * `authorization_pending`, `slow_down`, `access_denied`, `expired_token`
     */
    createToken(request: CreateTokenRequest, options?: CallOptions): Promise<TokenResponse>;
    /** Begins a login on a computer without a browser. */
    createDeviceLogin(request?: CreateDeviceLoginRequest, options?: CallOptions): Promise<DeviceLogin>;
    /** Ends the session of a refresh or access token; a token that is not known is a success too. */
    revokeToken(request: RevokeTokenRequest, options?: CallOptions): Promise<void>;
    /** Where the user is logged in, the latest used first. */
    listSessions(options?: CallOptions): Promise<readonly LoginSession[]>;
    deleteSession(id: string, options?: CallOptions): Promise<void>;
  };
  readonly user: { get(options?: CallOptions): Promise<UserMeResponse> };
  readonly plans: { list(options?: CallOptions): Promise<readonly Plan[]> };
  readonly checkout: {
    create(request: CheckoutRequest, options?: MutationOptions): Promise<CheckoutResponse>;
    /** What became of a session so far. */
    get(sessionId: string, options?: CallOptions): Promise<CheckoutSession>;
    /** The session's events from its beginning; ends when its tenant is ready for a deploy, runs, or failed. */
    events(sessionId: string, options?: EventStreamOptions): AsyncIterable<CheckoutEvent>;
  };
  readonly tenants: {
    list(options?: CallOptions): Promise<readonly Tenant[]>;
    get(id: string, options?: CallOptions): Promise<TenantInfo>;
    getStatus(id: string, options?: CallOptions): Promise<TenantStatus>;
    /** The tenant's events from its beginning; ends when it runs or failed. */
    events(id: string, options?: EventStreamOptions): AsyncIterable<ProvisioningEvent>;
    /**
     * The generated credentials behind `secretsUrl` of the tenant's status. Works once.
     *
     * @throws {CloudApiError} `SP_API_FOREIGN_URL` for a link to another server: the token never goes there.
     */
    getCredentials(secretsUrl: string, options?: CallOptions): Promise<TenantSecrets>;
    getRegistryToken(id: string, options?: CallOptions): Promise<RegistryToken>;
    deploy(id: string, request: DeployRequest, options?: MutationOptions): Promise<DeployResponse>;
    /** @throws {CloudApiError} `SP_API_CONFLICT` with `serverCode` `precondition_failed` when `ifVersion` is not its version */
    update(id: string, changes: UpdateTenantRequest, options?: UpdateOptions): Promise<TenantInfo>;
    /** Ends the subscription and deletes the tenant with everything that it has. */
    delete(id: string, options?: MutationOptions): Promise<void>;
    restart(id: string, options?: MutationOptions): Promise<OperationStatus>;
    /** Goes on with making a tenant that could not be made; follow {@link CloudApiClient.tenants.events}. */
    retryProvision(id: string, options?: MutationOptions): Promise<OperationStatus>;
    setExternalDbAccess(id: string, enabled: boolean, options?: CallOptions): Promise<ExternalDbAccess>;
    /** A new password for the database; the machine is replaced by one that knows it. */
    rotateCredentials(id: string, options?: MutationOptions): Promise<RotatedCredentials>;
    rotateSyncToken(id: string, options?: MutationOptions): Promise<RotatedSyncToken>;
  };
  readonly releases: {
    /** The newest first, at most 100. */
    list(tenantId: string, options?: CallOptions): Promise<readonly Release[]>;
    /** By id or number. */
    get(tenantId: string, release: string | number, options?: CallOptions): Promise<Release>;
    /** Brings back image and secrets of an earlier release, as a new release. */
    rollback(tenantId: string, request?: RollbackRequest, options?: CallOptions): Promise<DeployResponse>;
    /** base64 of the key for the digests of {@link DiffSecretsRequest}. */
    getSecretDigestKey(tenantId: string, options?: CallOptions): Promise<string>;
    diffSecrets(tenantId: string, request: DiffSecretsRequest, options?: CallOptions): Promise<SecretsDiff>;
  };
  readonly domains: {
    /** Gives the tenant a domain; it is active once the DNS record in the answer is found. */
    set(tenantId: string, domain: string, options?: CallOptions): Promise<CustomDomain>;
    get(tenantId: string, options?: CallOptions): Promise<CustomDomain>;
    delete(tenantId: string, options?: CallOptions): Promise<void>;
  };
  readonly subscription: {
    /** Ends the subscription of a tenant: it is suspended, its data kept. */
    cancel(tenantId: string, options?: CallOptions): Promise<void>;
  };
  readonly activity: { report(activity: ActivityRequest, options?: MutationOptions): Promise<void> };
  readonly secrets: {
    list(tenantId: string, options?: CallOptions): Promise<ListSecretsResponse>;
    set(tenantId: string, secrets: Readonly<Record<string, string>>, options?: CallOptions): Promise<void>;
    delete(tenantId: string, key: string, options?: CallOptions): Promise<void>;
  };
}

/**
 * A client of the Management API.
 *
 * @example
 * ```ts
 * const api = createCloudApiClient({ environment: 'sandbox', token: process.env.SYSTEMPROMPT_API_TOKEN });
 * for (const tenant of await api.tenants.list()) console.log(tenant.name);
 * ```
 */
export function createCloudApiClient(options: CloudApiClientOptions): CloudApiClient {
  const transport = createTransport(options);
  const { auth, user, plans, checkout, tenants, releases, domains, subscription, activity, secrets } = contract;
  const call = transport.call as <T>(...args: Parameters<typeof transport.call>) => Promise<T>;

  const lookAtTenant =
    (id: string) =>
    async (signal: AbortSignal): Promise<ProvisioningEvent | undefined> =>
      eventOfStatus(id, await call<TenantStatus>(tenants.getStatus, { params: { id }, signal }));

  const lookAtCheckout =
    (id: string) =>
    async (signal: AbortSignal, last: CheckoutEvent | undefined): Promise<CheckoutEvent | undefined> => {
      const session = last ?? (await call<CheckoutSession>(checkout.get, { params: { id }, signal }));
      const { tenantId, tenantName } = session;
      // Nobody has paid yet.
      if (tenantId === undefined) return undefined;
      const event = await lookAtTenant(tenantId)(signal);
      return event && { ...event, checkoutSessionId: id, tenantName: tenantName ?? '' };
    };

  return {
    baseUrl: transport.baseUrl,
    auth: {
      getAuthorizeUrl: async (provider, { signal, ...query }) =>
        (await call<{ authorizeUrl: string }>(auth.getAuthorizeUrl, { params: { provider }, query, signal }))
          .authorizeUrl,
      createToken: (body, { signal } = {}) => call(auth.createToken, { body, signal }),
      createDeviceLogin: (body = {}, { signal } = {}) => call(auth.createDeviceLogin, { body, signal }),
      revokeToken: (body, { signal } = {}) => call(auth.revokeToken, { body, signal }),
      listSessions: async ({ signal } = {}) =>
        (await call<{ sessions: readonly LoginSession[] }>(auth.listSessions, { signal })).sessions,
      deleteSession: (id, { signal } = {}) => call(auth.deleteSession, { params: { id }, signal }),
    },
    user: { get: ({ signal } = {}) => call(user.get, { signal }) },
    plans: { list: ({ signal } = {}) => call(plans.list, { signal }) },
    checkout: {
      create: (body, options = {}) => call(checkout.create, { body, ...options }),
      get: (id, { signal } = {}) => call(checkout.get, { params: { id }, signal }),
      events: (id, stream = {}) =>
        followEvents<CheckoutEvent>(
          transport,
          checkout.events,
          { id },
          { ...stream, isTerminal: isCheckoutEnd, look: lookAtCheckout(id) },
        ),
    },
    tenants: {
      list: ({ signal } = {}) => call(tenants.list, { signal }),
      get: (id, { signal } = {}) => call(tenants.get, { params: { id }, signal }),
      getStatus: (id, { signal } = {}) => call(tenants.getStatus, { params: { id }, signal }),
      events: (id, stream = {}) =>
        followEvents<ProvisioningEvent>(
          transport,
          tenants.events,
          { id },
          { ...stream, isTerminal: isTenantEnd, look: lookAtTenant(id) },
        ),
      getCredentials: async (secretsUrl, { signal } = {}) =>
        call(tenants.getCredentials, { params: credentialsParams(secretsUrl, transport.baseUrl), signal }),
      getRegistryToken: (id, { signal } = {}) => call(tenants.getRegistryToken, { params: { id }, signal }),
      // The server may wait for the new machine's health before it answers these.
      deploy: (id, body, options = {}) => call(tenants.deploy, { params: { id }, body, ...options, ...patient }),
      update: (id, body, { ifVersion, signal } = {}) =>
        call(tenants.update, { params: { id }, body, signal, ifVersion }),
      delete: (id, options = {}) => call(tenants.delete, { params: { id }, ...options, ...patient }),
      restart: (id, options = {}) => call(tenants.restart, { params: { id }, ...options, ...patient }),
      retryProvision: (id, options = {}) => call(tenants.retryProvision, { params: { id }, ...options }),
      setExternalDbAccess: (id, enabled, { signal } = {}) =>
        call(tenants.setExternalDbAccess, { params: { id }, body: { enabled }, signal }),
      rotateCredentials: (id, options = {}) =>
        call(tenants.rotateCredentials, { params: { id }, ...options, ...patient }),
      rotateSyncToken: (id, options = {}) => call(tenants.rotateSyncToken, { params: { id }, ...options, ...patient }),
    },
    releases: {
      list: (id, { signal } = {}) => call(releases.list, { params: { id }, signal }),
      get: (id, release, { signal } = {}) => call(releases.get, { params: { id, release: `${release}` }, signal }),
      rollback: (id, body = {}, options = {}) =>
        call(releases.rollback, { params: { id }, body, ...options, ...patient }),
      getSecretDigestKey: async (id, { signal } = {}) =>
        (await call<{ key: string }>(releases.getSecretDigestKey, { params: { id }, signal })).key,
      diffSecrets: (id, body, { signal } = {}) => call(releases.diffSecrets, { params: { id }, body, signal }),
    },
    domains: {
      set: (id, domain, { signal } = {}) => call(domains.set, { params: { id }, body: { domain }, signal }),
      get: (id, { signal } = {}) => call(domains.get, { params: { id }, signal }),
      delete: (id, { signal } = {}) => call(domains.delete, { params: { id }, signal }),
    },
    subscription: { cancel: (id, { signal } = {}) => call(subscription.cancel, { params: { id }, signal }) },
    activity: { report: (body, options = {}) => call(activity.report, { body, ...options }) },
    secrets: {
      list: (id, { signal } = {}) => call(secrets.list, { params: { id }, signal }),
      set: (id, values, { signal } = {}) => call(secrets.set, { params: { id }, body: { secrets: values }, signal }),
      delete: (id, key, { signal } = {}) => call(secrets.delete, { params: { id, key }, signal }),
    },
  };
}

/** For calls that the server answers when a machine is healthy, or is not. */
const patient = { timeout: 90_000 };

const isTenantEnd = (event: ProvisioningEvent): boolean =>
  ['tenant_ready', 'provisioning_failed', 'tenant_deleted'].includes(event.eventType);

const isCheckoutEnd = (event: ProvisioningEvent): boolean =>
  event.eventType === 'infrastructure_ready' || isTenantEnd(event);

/** Takes a one-time link apart; only links to the client's own server are followed. */
function credentialsParams(secretsUrl: string, baseUrl: string): { id: string; token: string } {
  const url = parseUrl(secretsUrl, `${baseUrl}/`);
  if (url === undefined || url.origin !== new URL(baseUrl).origin) {
    throw new CloudApiError({
      code: 'SP_API_FOREIGN_URL',
      message: `The credentials link points to ${url?.origin ?? 'no valid address'}, not to ${baseUrl}`,
    });
  }
  const parts = /\/api\/v1\/tenants\/([^/]+)\/credentials\/([^/]+)$/.exec(url.pathname);
  if (parts?.[1] === undefined || parts[2] === undefined) {
    throw new CloudApiError({ code: 'SP_API_INVALID_REQUEST', message: 'The credentials link has an unknown form' });
  }
  return { id: decodeURIComponent(parts[1]), token: decodeURIComponent(parts[2]) };
}
