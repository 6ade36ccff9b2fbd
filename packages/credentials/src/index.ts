/** Who you are on SystemPrompt Cloud: credential file, CLI sessions and token expiry. */
export {
  type BootstrapCredentialsOptions,
  bootstrapCredentials,
  type CredentialsBootstrap,
  type CredentialsEnvironment,
} from './bootstrap-credentials.ts';
export { type CloudCredentials } from './cloud-credentials.ts';
export {
  CredentialsError,
  type CredentialsErrorCode,
  type CredentialsErrorFacts,
  isCredentialsError,
} from './credentials-error.ts';
export { deleteCredentials, loadCredentials, saveCredentials } from './credentials-file.ts';
export { redactToken } from './redact-token.ts';
export {
  decodeTokenExpiry,
  isTokenExpired,
  type TokenExpiryOptions,
  type TokenStatus,
  tokenExpiresWithin,
  tokenStatus,
} from './token-expiry.ts';
