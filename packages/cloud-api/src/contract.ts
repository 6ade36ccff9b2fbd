// The contract of the Management API: every endpoint once, for clients, servers and the reference.
export { type ActivityRequest } from './contract/activity.ts';
export { type ApiToken, type CreateApiTokenRequest, type CreatedApiToken } from './contract/api-tokens.ts';
export { type AuditEntry, type AuditQuery } from './contract/audit.ts';
export {
  type AuthorizationCodeGrant,
  type AuthorizeUrlRequest,
  type CreateDeviceLoginRequest,
  type CreateTokenRequest,
  type DeviceCodeGrant,
  type DeviceLogin,
  type ListSessionsResponse,
  type LoginSession,
  type OAuthProvider,
  type RefreshTokenGrant,
  type RevokeTokenRequest,
  type TokenResponse,
} from './contract/auth.ts';
export {
  type CheckoutRequest,
  type CheckoutResponse,
  type CheckoutSession,
  regions,
  tenantNamePattern,
} from './contract/checkout.ts';
export { type DeployRequest, type DeployResponse, type RegistryToken } from './contract/deploy.ts';
export {
  type CustomDomain,
  customDomainPattern,
  type DnsInstructions,
  type SetCustomDomainRequest,
} from './contract/domains.ts';
export {
  type Endpoint,
  type Method,
  type PathTemplate,
  type QueryOf,
  type RequestOf,
  type ResponseOf,
} from './contract/endpoint.ts';
export { type EndpointScopes, endpointScopes } from './contract/endpoint-scopes.ts';
export { type ApiErrorBody, idempotencyKeyHeader, requestIdHeader } from './contract/errors.ts';
export {
  type CheckoutEvent,
  type ProvisioningEvent,
  type ProvisioningEventType,
  provisioningEventName,
  provisioningEventTypes,
} from './contract/events.ts';
export { type LogEntry, type LogsQuery } from './contract/logs.ts';
export { type Plan, type PlanInfo } from './contract/plan.ts';
export {
  type DiffSecretsRequest,
  type Release,
  type RollbackRequest,
  type SecretDigestKey,
  type SecretsDiff,
} from './contract/releases.ts';
export { type ApiScope, apiScopes } from './contract/scopes.ts';
export {
  type ListSecretsResponse,
  type SetSecretsRequest,
  secretNamePattern,
  systemManagedSecrets,
} from './contract/secrets.ts';
export { type PortalLink } from './contract/subscription.ts';
export { type Contract, contract } from './contract/table.ts';
export {
  type ExternalDbAccess,
  type ExternalDbAccessRequest,
  type OperationStatus,
  type RotatedCredentials,
  type RotatedSyncToken,
  type UpdateTenantRequest,
} from './contract/tenant-changes.ts';
export { type Tenant, type TenantSecrets, type TenantState, type TenantStatus } from './contract/tenants.ts';
export { type SubscriptionStatus, type TenantInfo, type UserMeResponse } from './contract/user.ts';
export { fromWire, toWire } from './wire.ts';
