/** The credentials of a whole process: loaded once, then at hand without waiting. */
export { type BootstrapCredentialsOptions, type CredentialsEnvironment } from './bootstrap-credentials.ts';
export { type CloudCredentials } from './cloud-credentials.ts';
export {
  type CredentialsBootstrap,
  type CredentialsBootstrapOptions,
  type CredentialsWarning,
  createCredentialsBootstrap,
} from './credentials-bootstrap.ts';
export { type CredentialsBootstrapErrorCode } from './credentials-error.ts';
export { type LoginToken } from './login-request.ts';
export { processCredentials } from './process-credentials.ts';
export { type TokenExpiryOptions } from './token-expiry.ts';
export { type RefreshRequest, type TokenSourceOptions } from './token-source.ts';
