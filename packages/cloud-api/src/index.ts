// The contract of the SystemPrompt Cloud Management API and a typed REST and SSE client for it.
export { type CloudApiClient, createCloudApiClient } from './client.ts';
export {
  type ApiErrorBody,
  type AuthorizeUrlRequest,
  type CheckoutEvent,
  type CheckoutRequest,
  type CheckoutResponse,
  type CreateTokenRequest,
  type DeployRequest,
  type DeployResponse,
  type DiffSecretsRequest,
  type ListSecretsResponse,
  type OAuthProvider,
  type Plan,
  type PlanInfo,
  type ProvisioningEvent,
  type ProvisioningEventType,
  provisioningEventTypes,
  type RegistryToken,
  type Release,
  type RollbackRequest,
  regions,
  type SecretsDiff,
  type SetSecretsRequest,
  type SubscriptionStatus,
  secretNamePattern,
  systemManagedSecrets,
  type Tenant,
  type TenantInfo,
  type TenantSecrets,
  type TenantState,
  type TenantStatus,
  type TokenResponse,
  tenantNamePattern,
  type UserMeResponse,
} from './contract.ts';
export { type Environment, resolveEnvironment } from './environment.ts';
export { CloudApiError, type CloudApiErrorCode, type CloudApiErrorFacts, isCloudApiError } from './errors.ts';
export type { EventStreamOptions } from './event-stream.ts';
export type { CallOptions, CloudApiClientOptions } from './options.ts';
