import type { ActivityRequest } from './contract/activity.ts';
import type { ApiToken, CreateApiTokenRequest, CreatedApiToken } from './contract/api-tokens.ts';
import type { AuditEntry, AuditQuery } from './contract/audit.ts';
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
import type { LogEntry, LogsQuery } from './contract/logs.ts';
import type { Plan } from './contract/plan.ts';
import type { DiffSecretsRequest, Release, RollbackRequest, SecretsDiff } from './contract/releases.ts';
import type { ListSecretsResponse } from './contract/secrets.ts';
import type { PortalLink } from './contract/subscription.ts';
import type {
  ExternalDbAccess,
  OperationStatus,
  RotatedCredentials,
  RotatedSyncToken,
  UpdateTenantRequest,
} from './contract/tenant-changes.ts';
import type { Tenant, TenantSecrets, TenantStatus } from './contract/tenants.ts';
import type { TenantInfo, UserMeResponse } from './contract/user.ts';
import type { EventStreamOptions } from './event-stream.ts';
import type { CallOptions, MutationOptions, UpdateOptions } from './options.ts';

/** The Management API. Every call may throw {@link CloudApiError}. */
export interface CloudApiClient {
  /** Base URL without a trailing slash. */
  readonly baseUrl: string;
  /** Logging in and out, and the logins that there are. */
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
    /** What was done with the user's account, the latest first: logins and their ends, API tokens, purchases. */
    listAuditEntries(query?: AuditQuery & CallOptions): Promise<readonly AuditEntry[]>;
  };
  /** Tokens for programs, such as a CI. */
  readonly apiTokens: {
    /** Those that are good, the newest first. */
    list(options?: CallOptions): Promise<readonly ApiToken[]>;
    /** The answer holds the token itself, this once. */
    create(request: CreateApiTokenRequest, options?: MutationOptions): Promise<CreatedApiToken>;
    /** It stops working; none of this id is `SP_API_NOT_FOUND`. */
    delete(id: string, options?: CallOptions): Promise<void>;
  };
  /** Who the token belongs to. */
  readonly user: { get(options?: CallOptions): Promise<UserMeResponse> };
  /** What can be bought. */
  readonly plans: { list(options?: CallOptions): Promise<readonly Plan[]> };
  /** Paying for a new tenant. */
  readonly checkout: {
    create(request: CheckoutRequest, options?: MutationOptions): Promise<CheckoutResponse>;
    /** What became of a session so far. */
    get(sessionId: string, options?: CallOptions): Promise<CheckoutSession>;
    /** The session's events from its beginning; ends when its tenant is ready for a deploy, runs, or failed. */
    events(sessionId: string, options?: EventStreamOptions): AsyncIterable<CheckoutEvent>;
  };
  /** The tenants of the user: their state, machine, logs and credentials. */
  readonly tenants: {
    list(options?: CallOptions): Promise<readonly Tenant[]>;
    get(id: string, options?: CallOptions): Promise<TenantInfo>;
    getStatus(id: string, options?: CallOptions): Promise<TenantStatus>;
    /** The tenant's events from its beginning; ends when it runs or failed. */
    events(id: string, options?: EventStreamOptions): AsyncIterable<ProvisioningEvent>;
    /** The last lines of the tenant's machine, oldest first. */
    getLogs(id: string, query?: LogsQuery & CallOptions): Promise<readonly LogEntry[]>;
    /** The same and what follows, across deploys; never ends by itself unless a `release` was named. */
    followLogs(id: string, query?: LogsQuery & EventStreamOptions): AsyncIterable<LogEntry>;
    /** What was done to the tenant and by whom, the latest first. */
    listAuditEntries(id: string, query?: AuditQuery & CallOptions): Promise<readonly AuditEntry[]>;
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
  /** What was deployed to a tenant, and the way back. */
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
  /** A tenant's own domain. */
  readonly domains: {
    /** Gives the tenant a domain; it is active once the DNS record in the answer is found. */
    set(tenantId: string, domain: string, options?: CallOptions): Promise<CustomDomain>;
    get(tenantId: string, options?: CallOptions): Promise<CustomDomain>;
    delete(tenantId: string, options?: CallOptions): Promise<void>;
  };
  /** What pays for a tenant. */
  readonly subscription: {
    /** Ends the subscription of a tenant. What was paid for is left; then it is suspended, its data kept for a while. */
    cancel(tenantId: string, options?: CallOptions): Promise<void>;
    /** The payment provider's page about the subscription of a tenant: invoices, card, cancellation. */
    createPortalLink(tenantId: string, options?: CallOptions): Promise<PortalLink>;
  };
  /** Logins and logouts, as programs report them. */
  readonly activity: { report(activity: ActivityRequest, options?: MutationOptions): Promise<void> };
  /** Environment variables of a tenant's machine: names can be read, values only written. */
  readonly secrets: {
    list(tenantId: string, options?: CallOptions): Promise<ListSecretsResponse>;
    set(tenantId: string, secrets: Readonly<Record<string, string>>, options?: CallOptions): Promise<void>;
    delete(tenantId: string, key: string, options?: CallOptions): Promise<void>;
  };
}
