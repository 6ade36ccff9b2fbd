import { expectTypeOf, test } from 'vitest';
import { type CredentialsBootstrap, type CredentialsWarning, processCredentials } from '../src/bootstrap.ts';
import {
  type AnyCredentialsErrorCode,
  type BootstrappedCredentials,
  bootstrapCredentials,
  type CliSession,
  type CloudCredentials,
  type CredentialsStore,
  createFileStore,
  createKeychainStore,
  createTokenSource,
  findValidSession,
  formatSessionKey,
  isCredentialsError,
  loadCredentials,
  loadSessionStore,
  type SessionKey,
  type SessionStore,
  type TokenSource,
  type TokenStatus,
  tokenStatus,
  updateSessionStore,
} from '../src/index.ts';
import {
  type DevicePollResult,
  type LoginToken,
  type OAuthFlowEvent,
  type OAuthProvider,
  runDeviceFlow,
  runOAuthFlow,
} from '../src/login.ts';

// Checked by `tsc --noEmit`; nothing of it runs.
test('types', () => {
  // Nobody being logged in is a value, not an error.
  expectTypeOf(loadCredentials).returns.resolves.toEqualTypeOf<CloudCredentials | undefined>();
  expectTypeOf(bootstrapCredentials).returns.resolves.toEqualTypeOf<BootstrappedCredentials | undefined>();
  expectTypeOf(loadSessionStore).returns.resolves.toEqualTypeOf<SessionStore | undefined>();
  expectTypeOf(findValidSession).returns.toEqualTypeOf<CliSession | undefined>();
  expectTypeOf<CloudCredentials['expiresAt']>().toEqualTypeOf<Date | undefined>();

  // Both stores are one interface.
  expectTypeOf(createFileStore).returns.toEqualTypeOf<CredentialsStore>();
  expectTypeOf(createKeychainStore).returns.toEqualTypeOf<CredentialsStore>();
  expectTypeOf(updateSessionStore).parameter(1).toEqualTypeOf<(store: SessionStore) => SessionStore>();

  // What a client of the API takes as its token.
  expectTypeOf<TokenSource>().toExtend<() => string | Promise<string>>();
  expectTypeOf(createTokenSource).returns.toEqualTypeOf<TokenSource>();
  expectTypeOf(tokenStatus).returns.toEqualTypeOf<TokenStatus>();
  expectTypeOf<TokenStatus>().toEqualTypeOf<'valid' | 'expires-soon' | 'expired'>();

  expectTypeOf<SessionKey>().toEqualTypeOf<
    { readonly type: 'Local' } | { readonly type: 'Tenant'; readonly value: string }
  >();
  expectTypeOf(formatSessionKey).toBeCallableWith({ type: 'Tenant', value: 't' });
  // @ts-expect-error a tenant's key names the tenant
  formatSessionKey({ type: 'Tenant' });

  expectTypeOf(runOAuthFlow).returns.resolves.toEqualTypeOf<LoginToken>();
  expectTypeOf(runDeviceFlow).returns.resolves.toEqualTypeOf<LoginToken>();
  expectTypeOf<OAuthProvider>().toEqualTypeOf<'github' | 'google'>();
  expectTypeOf<OAuthFlowEvent['type']>().toEqualTypeOf<'listening' | 'authorize-url' | 'browser-failed'>();
  expectTypeOf<'slow_down' | 'authorization_pending'>().toExtend<DevicePollResult>();

  expectTypeOf(processCredentials).returns.toEqualTypeOf<CredentialsBootstrap>();
  expectTypeOf<CredentialsBootstrap['require']>().returns.toEqualTypeOf<CloudCredentials>();
  expectTypeOf<CredentialsWarning['type']>().toEqualTypeOf<'expires-soon' | 'validation-failed'>();

  const error: unknown = undefined;
  if (isCredentialsError(error)) expectTypeOf(error.code).toEqualTypeOf<AnyCredentialsErrorCode>();
  expectTypeOf<
    'SP_LOGIN_DENIED' | 'SP_SESSION_VERSION' | 'SP_TOKEN_NOT_LOGGED_IN'
  >().toExtend<AnyCredentialsErrorCode>();
});
