import { expect, test } from 'vitest';
import { ConfigurationInvalid, loadConfiguration } from '../src/configuration/configuration.ts';
import { describeConfiguration, renderConfigurationTable } from '../src/configuration/describe-configuration.ts';
import { listenHostOf } from '../src/configuration/listen-host.ts';
import { defaultRateLimits } from '../src/http/rate-limits.ts';
import { configuredLimits } from '../src/serve/configured-limits.ts';

const keyBytes = Uint8Array.from({ length: 32 }, (_, at) => at);
const key = Buffer.from(keyBytes).toString('base64');
const sandbox = {
  SP_API_BASE_URL: 'http://127.0.0.1:8080',
  DATABASE_URL: 'postgresql://api:pw@db/api',
  SP_API_VAULT_KEY: key,
  SP_API_REGISTRY_DIRECTORY: '/data/registry',
  SP_API_TENANT_DOMAIN: 'tenants.example.com',
  SP_API_MACHINES: 'process',
  SP_API_IDENTITY: 'sandbox',
  SP_API_BILLING: 'sandbox',
};
const production = {
  ...sandbox,
  SP_API_BASE_URL: 'https://api.example.com/',
  SP_API_MACHINES: 'fly',
  SP_API_FLY_TOKEN: 'FlyV1 secret',
  SP_API_FLY_ORGANIZATION: 'tenants',
  SP_API_IDENTITY: 'github, google',
  SP_API_GITHUB_CLIENT_ID: 'github',
  SP_API_GITHUB_CLIENT_SECRET: 'secret',
  SP_API_GOOGLE_CLIENT_ID: 'google',
  SP_API_GOOGLE_CLIENT_SECRET: 'secret',
  SP_API_BILLING: 'paddle',
  SP_API_PADDLE_API_KEY: 'secret',
  SP_API_PADDLE_CLIENT_TOKEN: 'live_1',
  SP_API_PADDLE_WEBHOOK_SECRETS: 'pdl_new, pdl_old',
};

const readFile = (path: string): string => {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT', path });
};
const load = (env: Record<string, string | undefined>, files: Record<string, string> = {}) =>
  loadConfiguration({ env, readFile: (path) => files[path] ?? readFile(path) });

function findingsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    load(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationInvalid)) throw error;
    return error.findings.map(({ name, problem }) => `${name} ${problem}`);
  }
}

test('what is set is read, the rest has its default', () => {
  expect(load(sandbox)).toMatchObject({
    baseUrl: 'http://127.0.0.1:8080',
    port: 8080,
    logLevel: 'info',
    vaultKey: keyBytes,
    machines: 'process',
    identity: ['sandbox'],
  });
  expect(load(production)).toMatchObject({
    baseUrl: 'https://api.example.com',
    identity: ['github', 'google'],
    paddleWebhookSecrets: ['pdl_new', 'pdl_old'],
    flyApiUrl: 'https://api.machines.dev',
  });
  expect(load({ ...sandbox, SP_API_METRICS_TOKEN: '' }).metricsToken).toBeUndefined();
});

test.for([
  ['FlyV1 fm2_abc,fm2_def', 'fm2_abc,fm2_def'],
  ['fm2_abc,fm2_def\n', 'fm2_abc,fm2_def'],
  ['Bearer oauth-token', 'oauth-token'],
  ['bearer  FlyV1 fm2_abc', 'fm2_abc'],
  ['oauth-token', 'oauth-token'],
])("Fly.io's token %j is taken as its tools print it", ([printed, token]) => {
  expect(load({ ...production, SP_API_FLY_TOKEN: printed }).flyToken).toBe(token);
});

test('everything that is missing is said at once, with the reason', () => {
  expect(findingsOf({})).toEqual([
    'SP_API_BASE_URL is missing',
    'DATABASE_URL is missing',
    'SP_API_VAULT_KEY is missing',
    'SP_API_REGISTRY_DIRECTORY is missing',
    'SP_API_TENANT_DOMAIN is missing',
    'SP_API_MACHINES is missing',
    'SP_API_IDENTITY is missing',
    'SP_API_BILLING is missing',
  ]);
  expect(findingsOf({ ...sandbox, SP_API_MACHINES: 'fly', SP_API_IDENTITY: 'google' })).toEqual([
    'SP_API_FLY_TOKEN is missing, and SP_API_MACHINES is fly',
    'SP_API_FLY_ORGANIZATION is missing, and SP_API_MACHINES is fly',
    'SP_API_GOOGLE_CLIENT_ID is missing, and SP_API_IDENTITY is google',
    'SP_API_GOOGLE_CLIENT_SECRET is missing, and SP_API_IDENTITY is google',
  ]);
});

test.for([
  ['SP_API_BASE_URL', 'http://api.example.com', 'has to begin with https:// (http is for 127.0.0.1 and localhost)'],
  ['SP_API_BASE_URL', 'https://api.example.com/v1', 'has a path'],
  ['SP_API_BASE_URL', 'api.example.com', 'is not an http address'],
  ['SP_API_PORT', '65536', 'is not a whole number from 0 to 65535'],
  ['SP_API_PORT', '1e3', 'is not a whole number from 0 to 65535'],
  ['DATABASE_URL', 'mysql://db', 'is not a postgresql:// address'],
  ['SP_API_VAULT_KEY', 'short', 'is not 32 bytes in base64 (as `openssl rand -base64 32` prints them)'],
  ['SP_API_TENANT_DOMAIN', 'Tenants', 'is not a host name in lower case'],
  ['SP_API_FLY_TOKEN', 'FlyV1 ', 'is empty'],
  ['SP_API_FLY_TOKEN', 'FlyV1 fm2_abc fm2_def', 'has blanks in it, or what no token has'],
  ['SP_API_MACHINES', 'lambda', 'is none of fly, docker, process'],
  ['SP_API_IDENTITY', 'github,myspace', 'has something that is none of github, google, sandbox'],
  ['SP_API_VAULT_KEY', 'A'.repeat(43), 'is one byte again and again, which is no key'],
  ['SP_API_TENANT_DATABASE_HOST', 'db:6432', 'has a port, which is that of the URL'],
  ['SP_API_TENANT_DATABASE_PUBLIC_HOST', 'db.example.com:5432', 'has a port, which is that of the URL'],
  ['SP_API_PADDLE_WEBHOOK_SECRETS', ',', 'has no secret'],
  ['SP_API_MASHINES', 'fly', 'is not a variable of this program'],
] as const)('%s=%s is refused', ([name, value, problem]) => {
  expect(findingsOf({ ...production, [name]: value })).toContain(`${name} ${problem}`);
});

test('sandboxes and processes are for this computer only', () => {
  const own = { SP_API_IDENTITY: 'sandbox', SP_API_BILLING: 'sandbox', SP_API_MACHINES: 'process' };
  expect(findingsOf({ ...production, ...own })).toEqual([
    'SP_API_IDENTITY is sandbox on a public address',
    'SP_API_BILLING is sandbox on a public address',
    'SP_API_MACHINES is process on a public address',
  ]);
  for (const host of ['0.0.0.0', '::', '192.168.1.7', 'myhost']) {
    expect(findingsOf({ ...sandbox, SP_API_LISTEN_HOST: host })).toEqual([
      `SP_API_IDENTITY is sandbox while others reach SP_API_LISTEN_HOST ${host}`,
      `SP_API_BILLING is sandbox while others reach SP_API_LISTEN_HOST ${host}`,
      `SP_API_MACHINES is process while others reach SP_API_LISTEN_HOST ${host}`,
    ]);
  }
  for (const host of ['127.0.0.1', '127.0.0.2', '::1', 'localhost']) {
    expect(findingsOf({ ...sandbox, SP_API_LISTEN_HOST: host })).toEqual([]);
  }
});

test('it listens where its base URL is reached from', () => {
  expect(listenHostOf(load(sandbox))).toBe('127.0.0.1');
  expect(listenHostOf(load(production))).toBe('0.0.0.0');
  expect(listenHostOf(load({ ...production, SP_API_LISTEN_HOST: '::1' }))).toBe('::1');
});

test('secrets may be in files, and are in no message', () => {
  const { DATABASE_URL, ...rest } = sandbox;
  const env = { ...rest, DATABASE_URL_FILE: '/run/secrets/database' };
  expect(load(env, { '/run/secrets/database': `${DATABASE_URL}\n` }).databaseUrl).toBe(DATABASE_URL);
  expect(findingsOf(env)).toEqual(['DATABASE_URL_FILE names /run/secrets/database, which cannot be read (ENOENT)']);
  expect(findingsOf({ ...env, DATABASE_URL })).toEqual(['DATABASE_URL is set, and DATABASE_URL_FILE too']);
  // What is no secret has no file.
  expect(findingsOf({ ...sandbox, SP_API_PORT_FILE: '/x' })).toEqual([
    'SP_API_PORT_FILE is not a variable of this program',
  ]);

  const wrong = Object.fromEntries(
    describeConfiguration()
      .filter(({ secret }) => secret)
      .map(({ name }) => [name, ' canary ']),
  );
  expect(JSON.stringify(findingsOf({ ...production, ...wrong }))).not.toContain('canary');
});

test('every variable is explained in one line of a table', () => {
  const lines = renderConfigurationTable().split('\n').slice(2);
  expect(lines).toHaveLength(describeConfiguration().length);
  for (const line of lines) expect(line).toMatch(/^\| `[A-Z_]+` \| .+ \| .* \| .* \| .+\. \|$/);
});

test('every rate limit has a variable, and without it its default', () => {
  expect(configuredLimits(load(sandbox))).toEqual(defaultRateLimits);
  const stricter = load({ ...sandbox, SP_API_DEVICE_CODE_RATE_LIMIT: '3', SP_API_USER_RATE_LIMIT: '5' });
  expect(configuredLimits(stricter)).toEqual({
    ...defaultRateLimits,
    deviceCode: { points: 3, seconds: 600 },
    user: { points: 5, seconds: 60 },
  });
  expect(findingsOf({ ...sandbox, SP_API_LOGIN_RATE_LIMIT: '0' })).toEqual([
    'SP_API_LOGIN_RATE_LIMIT is not a whole number from 1 to 1000000',
  ]);
});
