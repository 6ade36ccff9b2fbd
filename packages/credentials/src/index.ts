/** Who you are on SystemPrompt Cloud: credential file, CLI sessions and token expiry. */
export {
  type BootstrapCredentialsOptions,
  type BootstrappedCredentials,
  bootstrapCredentials,
  type CredentialsEnvironment,
} from './bootstrap-credentials.ts';
export {
  type CliSession,
  type CreateCliSessionOptions,
  createCliSession,
  isSessionExpired,
  isSessionFor,
  isSessionValid,
  keyOfSession,
  type SessionUserType,
  touchSession,
} from './cli-session.ts';
export { type CloudCredentials } from './cloud-credentials.ts';
export {
  type AnyCredentialsErrorCode,
  type CredentialsBootstrapErrorCode,
  CredentialsError,
  type CredentialsErrorCode,
  type CredentialsErrorFacts,
  isCredentialsError,
  type SessionErrorCode,
  type TokenSourceErrorCode,
} from './credentials-error.ts';
export { deleteCredentials, loadCredentials, saveCredentials } from './credentials-file.ts';
export { type CredentialsStore, createFileStore } from './credentials-store.ts';
export {
  createKeychainStore,
  type KeychainEntry,
  type KeychainStoreOptions,
  type OpenKeychainEntry,
} from './keychain-store.ts';
export { type LoginToken } from './login-request.ts';
export { redactToken } from './redact-token.ts';
export { deleteSession, loadSession, saveSession } from './session-file.ts';
export {
  formatSessionKey,
  fromStorageKey,
  localSessionKey,
  type SessionKey,
  sessionKeyOf,
  toStorageKey,
} from './session-key.ts';
export {
  activeSession,
  activeSessionKey,
  createSessionStore,
  findSession,
  findSessionByProfileName,
  findValidSession,
  pruneExpiredSessions,
  removeSession,
  type SessionStore,
  type SetActiveSessionOptions,
  setActiveSession,
  upsertSession,
} from './session-store.ts';
export { loadSessionStore, saveSessionStore, updateSessionStore } from './session-store-file.ts';
export {
  decodeTokenExpiry,
  isTokenExpired,
  type TokenExpiryOptions,
  type TokenStatus,
  tokenExpiresWithin,
  tokenStatus,
} from './token-expiry.ts';
export {
  createTokenSource,
  type RefreshRequest,
  type TokenSource,
  type TokenSourceOptions,
} from './token-source.ts';
