/** Members whose values no log line may show, wherever they are in what is logged. Nothing logs them on purpose. */
const secretMembers = [
  'authorization',
  'cookie',
  'password',
  'token',
  'accessToken',
  'access_token',
  'refreshToken',
  'refresh_token',
  'deviceCode',
  'device_code',
  'codeVerifier',
  'code_verifier',
  'secret',
  'secrets',
  'secretsUrl',
  'secrets_url',
  'webhookSecret',
  'webhookSecrets',
  'apiKey',
  'privateKey',
  'env',
  'connectionString',
  'databaseUrl',
  'database_url',
  'internalDatabaseUrl',
  'externalDatabaseUrl',
  'adminUrl',
  'syncToken',
  'sync_token',
];

/** pino's `redact` option for this program: a net below the rule that secrets are not logged. */
export const logRedaction: { readonly paths: string[]; readonly censor: string } = {
  paths: secretMembers.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
  censor: '[redacted]',
};
