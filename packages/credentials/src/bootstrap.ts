/** The credentials of a whole process: loaded once, then at hand without waiting. */
export {
  type CredentialsBootstrap,
  type CredentialsBootstrapOptions,
  type CredentialsWarning,
  createCredentialsBootstrap,
} from './credentials-bootstrap.ts';
export { type CredentialsBootstrapErrorCode } from './credentials-error.ts';
export { processCredentials } from './process-credentials.ts';
