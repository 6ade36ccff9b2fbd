import * as z from 'zod';
import { defaultKeptReleases } from '../images/release-digests.ts';
import {
  choice,
  choices,
  flyToken,
  hostName,
  integer,
  key,
  keys,
  ownUrl,
  portlessHostName,
  postgresUrl,
  secrets,
  serviceUrl,
  text,
} from './values.ts';
import { variable } from './variable.ts';

const whenFly = { name: 'SP_API_MACHINES', is: 'fly' } as const;
const whenPaddle = { name: 'SP_API_BILLING', is: 'paddle' } as const;
const whenGithub = { name: 'SP_API_IDENTITY', is: 'github' } as const;
const whenGoogle = { name: 'SP_API_IDENTITY', is: 'google' } as const;

/** Every variable that `sp-management-api` reads, in the order in which they are explained. */
export const variables = {
  baseUrl: variable({
    name: 'SP_API_BASE_URL',
    type: 'URL',
    required: 'always',
    description: 'The public address of this API; tokens are issued in its name, and providers send people back to it.',
    schema: ownUrl,
  }),
  listenHost: variable({
    name: 'SP_API_LISTEN_HOST',
    type: 'address',
    description:
      'The address that it listens on; without it `127.0.0.1` where the base URL is of this computer, else `0.0.0.0`.',
    schema: text,
  }),
  port: variable({
    name: 'SP_API_PORT',
    type: '0 to 65535',
    default: '8080',
    description: 'The port that it listens on; 0 takes any that is free.',
    schema: integer(0, 65_535),
  }),
  trustedProxyHeader: variable({
    name: 'SP_API_TRUSTED_PROXY_HEADER',
    type: 'header name',
    description:
      'The header in which the proxy in front of it says where a request comes from, such as `fly-client-ip`; without it the connection says it.',
    schema: z
      .string()
      .regex(/^[A-Za-z0-9-]+$/, { error: 'is not a header name' })
      .transform((name) => name.toLowerCase()),
  }),
  metricsToken: variable({
    name: 'SP_API_METRICS_TOKEN',
    type: 'text',
    secret: true,
    description: 'What a scraper of `/metrics` has to bring as bearer token; without it `/metrics` is not served.',
    schema: text.min(16, { error: 'is shorter than 16 characters' }),
  }),
  userRateLimit: variable({
    name: 'SP_API_USER_RATE_LIMIT',
    type: '1 to 1000000',
    default: '600',
    description: 'Requests a minute that one user may send to one replica.',
    schema: integer(1, 1_000_000),
  }),
  addressRateLimit: variable({
    name: 'SP_API_ADDRESS_RATE_LIMIT',
    type: '1 to 1000000',
    default: '1200',
    description: 'Requests a minute that may come to one replica from one address.',
    schema: integer(1, 1_000_000),
  }),
  loginRateLimit: variable({
    name: 'SP_API_LOGIN_RATE_LIMIT',
    type: '1 to 1000000',
    default: '30',
    description:
      'Logins that may be begun within a minute from one address; this and what follows count for all replicas together.',
    schema: integer(1, 1_000_000),
  }),
  tokenRateLimit: variable({
    name: 'SP_API_TOKEN_RATE_LIMIT',
    type: '1 to 1000000',
    default: '120',
    description:
      'Codes and refresh tokens that may be brought within a minute from one address, polls of device logins among them.',
    schema: integer(1, 1_000_000),
  }),
  deviceRateLimit: variable({
    name: 'SP_API_DEVICE_RATE_LIMIT',
    type: '1 to 1000000',
    default: '20',
    description: 'Device logins that may be begun within ten minutes from one address.',
    schema: integer(1, 1_000_000),
  }),
  deviceCodeRateLimit: variable({
    name: 'SP_API_DEVICE_CODE_RATE_LIMIT',
    type: '1 to 1000000',
    default: '20',
    description: 'Device codes that may be typed within ten minutes at one address.',
    schema: integer(1, 1_000_000),
  }),
  credentialsRateLimit: variable({
    name: 'SP_API_CREDENTIALS_RATE_LIMIT',
    type: '1 to 1000000',
    default: '10',
    description: 'One-time links that one user may try within a minute.',
    schema: integer(1, 1_000_000),
  }),
  checkoutRateLimit: variable({
    name: 'SP_API_CHECKOUT_RATE_LIMIT',
    type: '1 to 1000000',
    default: '30',
    description: 'Checkouts that one user may open within ten minutes.',
    schema: integer(1, 1_000_000),
  }),
  logLevel: variable({
    name: 'SP_API_LOG_LEVEL',
    type: 'debug, info, warn or error',
    default: 'info',
    description: 'How much goes to the log on stdout, one JSON document a line.',
    schema: choice(['debug', 'info', 'warn', 'error']),
  }),
  shutdownSeconds: variable({
    name: 'SP_API_SHUTDOWN_SECONDS',
    type: '0 to 600',
    default: '25',
    description: 'How long answers under way may take after SIGTERM before their connections are cut.',
    schema: integer(0, 600),
  }),
  drainSeconds: variable({
    name: 'SP_API_DRAIN_SECONDS',
    type: '0 to 120',
    default: '5',
    description:
      'How long it goes on to accept requests after SIGTERM, so that load balancers see that it is not ready.',
    schema: integer(0, 120),
  }),
  databaseUrl: variable({
    name: 'DATABASE_URL',
    type: 'postgresql:// URL',
    required: 'always',
    secret: true,
    description: "The control plane's own database; sessions, not transaction pooling, because it listens on it.",
    schema: postgresUrl,
  }),
  tenantDatabaseUrl: variable({
    name: 'SP_API_TENANT_DATABASE_URL',
    type: 'postgresql:// URL',
    secret: true,
    description: "A role that may make roles and databases on the tenants' server; without it that of `DATABASE_URL`.",
    schema: postgresUrl,
  }),
  tenantDatabaseHost: variable({
    name: 'SP_API_TENANT_DATABASE_HOST',
    type: 'host name',
    description:
      "The tenants' database server as their machines reach it, without a port; without it that of the URL above.",
    schema: portlessHostName,
  }),
  tenantDatabasePublicHost: variable({
    name: 'SP_API_TENANT_DATABASE_PUBLIC_HOST',
    type: 'host name',
    description:
      "The tenants' database server as people reach it from elsewhere, where an owner allows it, without a port; without it that of the URL above.",
    schema: portlessHostName,
  }),
  vaultKey: variable({
    name: 'SP_API_VAULT_KEY',
    type: '32 bytes in base64',
    required: 'always',
    secret: true,
    description: "Wraps the keys of the tenants' secrets; whoever has it and a copy of the database has the secrets.",
    schema: key,
  }),
  previousVaultKeys: variable({
    name: 'SP_API_PREVIOUS_VAULT_KEYS',
    type: 'keys, with commas',
    secret: true,
    description: 'Earlier keys, which still open what they wrapped until `rotate-keys` has wrapped it anew.',
    schema: keys,
  }),
  registryDirectory: variable({
    name: 'SP_API_REGISTRY_DIRECTORY',
    type: 'folder',
    required: 'always',
    description: 'Where pushed images are kept; the same folder for all replicas.',
    schema: text,
  }),
  maxLayerGb: variable({
    name: 'SP_API_MAX_LAYER_GB',
    type: '1 to 1000',
    default: '4',
    description: 'The largest layer of an image that is taken, in GiB.',
    schema: integer(1, 1000),
  }),
  maxRegistryGb: variable({
    name: 'SP_API_MAX_REGISTRY_GB',
    type: '1 to 100000',
    default: '50',
    description:
      'How much the images of one tenant may take in the registry, in GiB, together with its uploads that are not finished.',
    schema: integer(1, 100_000),
  }),
  keptReleases: variable({
    name: 'SP_API_KEPT_RELEASES',
    type: '1 to 1000',
    default: String(defaultKeptReleases),
    description:
      'Of how many different images that a tenant ran last the registry keeps what a rollback needs; what runs and the one before it stay in any case.',
    schema: integer(1, 1000),
  }),
  tenantDomain: variable({
    name: 'SP_API_TENANT_DOMAIN',
    type: 'host name',
    required: 'always',
    description: 'Tenants get `<name>-<suffix>.` in front of it; below `fly.dev` the name of their app.',
    schema: hostName,
  }),
  machines: variable({
    name: 'SP_API_MACHINES',
    type: 'fly, docker or process',
    required: 'always',
    description:
      'What tenants run in: Fly.io Machines, containers or processes of this computer. A `process` may do all that this program may and reads its secrets, so it is refused where another computer reaches it.',
    schema: choice(['fly', 'docker', 'process']),
  }),
  machinesDirectory: variable({
    name: 'SP_API_MACHINES_DIRECTORY',
    type: 'folder',
    default: '/var/lib/systemprompt/machines',
    description: 'What machines of this computer keep, and which there are.',
    schema: text,
  }),
  flyToken: variable({
    name: 'SP_API_FLY_TOKEN',
    type: 'text',
    required: whenFly,
    secret: true,
    description: 'A token of the Fly.io organization that holds the tenants, as `fly tokens create org` prints it.',
    schema: flyToken,
  }),
  flyOrganization: variable({
    name: 'SP_API_FLY_ORGANIZATION',
    type: 'slug',
    required: whenFly,
    description: 'The Fly.io organization that holds the tenants; none but they should be in it.',
    schema: text,
  }),
  flyApiUrl: variable({
    name: 'SP_API_FLY_API_URL',
    type: 'URL',
    default: 'https://api.machines.dev',
    description: 'The Machines API.',
    schema: serviceUrl,
  }),
  flyLogsUrl: variable({
    name: 'SP_API_FLY_LOGS_URL',
    type: 'URL',
    default: 'https://api.fly.io',
    description: "The API that has the machines' output.",
    schema: serviceUrl,
  }),
  flyRegistry: variable({
    name: 'SP_API_FLY_REGISTRY',
    type: 'host name',
    default: 'registry.fly.io',
    description: 'The registry that Fly.io pulls images from.',
    schema: hostName,
  }),
  flyRateFactor: variable({
    name: 'SP_API_FLY_RATE_FACTOR',
    type: '1 to 1000',
    default: '1',
    description: 'How many times the usual rate limits Fly.io allows the organization; it raises them on request.',
    schema: integer(1, 1000),
  }),
  identity: variable({
    name: 'SP_API_IDENTITY',
    type: 'github, google or both; or sandbox',
    required: 'always',
    description:
      'Who vouches for people. `sandbox` believes everybody, and is refused where another computer reaches it.',
    schema: choices(['github', 'google', 'sandbox']),
  }),
  githubClientId: variable({
    name: 'SP_API_GITHUB_CLIENT_ID',
    type: 'text',
    required: whenGithub,
    description: 'The OAuth app at GitHub; its callback is `<base URL>/api/v1/auth/oauth/github/callback`.',
    schema: text,
  }),
  githubClientSecret: variable({
    name: 'SP_API_GITHUB_CLIENT_SECRET',
    type: 'text',
    required: whenGithub,
    secret: true,
    description: "That app's secret.",
    schema: text,
  }),
  githubUrl: variable({
    name: 'SP_API_GITHUB_URL',
    type: 'URL',
    default: 'https://github.com',
    description: 'GitHub, or an enterprise server.',
    schema: serviceUrl,
  }),
  githubApiUrl: variable({
    name: 'SP_API_GITHUB_API_URL',
    type: 'URL',
    default: 'https://api.github.com',
    description: "GitHub's API, or that of an enterprise server.",
    schema: serviceUrl,
  }),
  googleClientId: variable({
    name: 'SP_API_GOOGLE_CLIENT_ID',
    type: 'text',
    required: whenGoogle,
    description: 'The OAuth client at Google; its callback is `<base URL>/api/v1/auth/oauth/google/callback`.',
    schema: text,
  }),
  googleClientSecret: variable({
    name: 'SP_API_GOOGLE_CLIENT_SECRET',
    type: 'text',
    required: whenGoogle,
    secret: true,
    description: "That client's secret.",
    schema: text,
  }),
  googleIssuer: variable({
    name: 'SP_API_GOOGLE_ISSUER',
    type: 'URL',
    default: 'https://accounts.google.com',
    description: 'The OpenID provider behind the name google.',
    schema: serviceUrl,
  }),
  billing: variable({
    name: 'SP_API_BILLING',
    type: 'paddle or sandbox',
    required: 'always',
    description: 'Who takes the money. `sandbox` takes none, and is refused where another computer reaches it.',
    schema: choice(['paddle', 'sandbox']),
  }),
  graceDays: variable({
    name: 'SP_API_GRACE_DAYS',
    type: '0 to 365',
    default: '7',
    description: 'How long a tenant runs on whose payment is overdue.',
    schema: integer(0, 365),
  }),
  retentionDays: variable({
    name: 'SP_API_RETENTION_DAYS',
    type: '0 to 3650',
    default: '30',
    description: 'How long the data of a tenant is kept whose subscription has ended.',
    schema: integer(0, 3650),
  }),
  paddleApiKey: variable({
    name: 'SP_API_PADDLE_API_KEY',
    type: 'text',
    required: whenPaddle,
    secret: true,
    description: 'A key of the Paddle Billing API.',
    schema: text,
  }),
  paddleEnvironment: variable({
    name: 'SP_API_PADDLE_ENVIRONMENT',
    type: 'production, sandbox or URL',
    default: 'production',
    description: "Which of Paddle's two systems the account is of, or the address of something that answers like them.",
    schema: choice(['production', 'sandbox']).or(serviceUrl),
  }),
  paddleClientToken: variable({
    name: 'SP_API_PADDLE_CLIENT_TOKEN',
    type: 'text',
    required: whenPaddle,
    description: 'The token that the payment page shows to Paddle.js; no secret.',
    schema: text,
  }),
  paddleWebhookSecrets: variable({
    name: 'SP_API_PADDLE_WEBHOOK_SECRETS',
    type: 'secrets, with commas',
    required: whenPaddle,
    secret: true,
    description:
      'The secret keys of the notification destination `<base URL>/api/v1/webhooks/paddle`; two while one is replaced.',
    schema: secrets,
  }),
} as const;
