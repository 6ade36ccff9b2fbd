import * as z from 'zod/mini';
import { rateLimitDefaults, runtimeDefaults, securityHeaderDefaults } from './profile-defaults.ts';

const filled = z.string().check(z.minLength(1, 'must not be empty'));
const optionalText = z.pipe(
  z.nullish(z.string()),
  z.transform((value) => (value === '' ? undefined : (value ?? undefined))),
);
const flag = (byDefault: boolean): z.ZodMiniDefault<z.ZodMiniBoolean> => z._default(z.boolean(), byDefault);
const text = (byDefault: string): z.ZodMiniDefault<z.ZodMiniString> => z._default(z.string(), byDefault);
const count = (byDefault: number): z.ZodMiniDefault<z.ZodMiniNumber> =>
  z._default(z.int().check(z.minimum(0, 'must not be negative')), byDefault);
const factor = (byDefault: number): z.ZodMiniDefault<z.ZodMiniNumber> => z._default(z.number(), byDefault);
const validation = z.enum(['strict', 'warn', 'skip']);
const origin = z.string().check(z.regex(/^https?:\/\/./, 'must start with http:// or https://'));
const lifetime = z.int().check(z.minimum(1, 'must be more than 0'));

/** A block that may be left out, or be empty, and has its defaults then. */
function block<T extends z.core.$ZodType>(
  schema: T,
): z.ZodMiniPipe<
  z.ZodMiniOptional<z.ZodMiniNullable<T>>,
  z.ZodMiniTransform<z.output<T>, z.output<T> | null | undefined>
> {
  return z.pipe(
    z.nullish(schema),
    z.transform((value) => value ?? z.parse(schema, {})),
  );
}

const server = z.object({
  host: filled,
  port: z.int().check(z.minimum(1, 'must be more than 0'), z.maximum(65_535, 'must be at most 65535')),
  api_server_url: origin,
  api_internal_url: origin,
  api_external_url: origin,
  use_https: flag(false),
  cors_allowed_origins: z._default(z.array(origin), []),
  content_negotiation: block(z.object({ enabled: flag(false), markdown_suffix: text('.md') })),
  security_headers: block(
    z.object({
      enabled: flag(securityHeaderDefaults.enabled),
      hsts: text(securityHeaderDefaults.hsts),
      frame_options: text(securityHeaderDefaults.frame_options),
      content_type_options: text(securityHeaderDefaults.content_type_options),
      referrer_policy: text(securityHeaderDefaults.referrer_policy),
      permissions_policy: text(securityHeaderDefaults.permissions_policy),
      content_security_policy: optionalText,
    }),
  ),
});

const tiers = rateLimitDefaults.tier_multipliers;

const rateLimits = z.object({
  disabled: flag(false),
  oauth_public_per_second: count(rateLimitDefaults.oauth_public_per_second),
  oauth_auth_per_second: count(rateLimitDefaults.oauth_auth_per_second),
  contexts_per_second: count(rateLimitDefaults.contexts_per_second),
  tasks_per_second: count(rateLimitDefaults.tasks_per_second),
  artifacts_per_second: count(rateLimitDefaults.artifacts_per_second),
  agent_registry_per_second: count(rateLimitDefaults.agent_registry_per_second),
  agents_per_second: count(rateLimitDefaults.agents_per_second),
  mcp_registry_per_second: count(rateLimitDefaults.mcp_registry_per_second),
  mcp_per_second: count(rateLimitDefaults.mcp_per_second),
  stream_per_second: count(rateLimitDefaults.stream_per_second),
  content_per_second: count(rateLimitDefaults.content_per_second),
  burst_multiplier: count(rateLimitDefaults.burst_multiplier),
  tier_multipliers: block(
    z.object({
      admin: factor(tiers.admin),
      user: factor(tiers.user),
      a2a: factor(tiers.a2a),
      mcp: factor(tiers.mcp),
      service: factor(tiers.service),
      anon: factor(tiers.anon),
    }),
  ),
});

const gateway = z.object({
  enabled: flag(false),
  routes: z._default(
    z.array(
      z.object({
        model_pattern: z.string(),
        provider: z.string(),
        endpoint: z.string(),
        api_key_secret: z.string(),
        upstream_model: optionalText,
        extra_headers: z.pipe(
          z.nullish(z.record(z.string(), z.string())),
          z.transform((headers) => (headers ? new Map(Object.entries(headers)) : undefined)),
        ),
      }),
    ),
    [],
  ),
});

const orUndefined = <T>(value: T | null | undefined): T | undefined => value ?? undefined;

/** A `profile.yaml`; members that this version does not know are the tenant's business. */
export const profileSchema = z.object({
  name: filled,
  display_name: filled,
  target: z._default(z.enum(['local', 'cloud']), 'local'),
  site: z.object({ name: filled, github_link: optionalText }),
  database: z.object({ type: z.string(), external_db_access: flag(false) }),
  server,
  paths: z.object({
    system: filled,
    services: filled,
    bin: filled,
    web_path: optionalText,
    storage: optionalText,
    geoip_database: optionalText,
  }),
  security: z.object({
    jwt_issuer: z.string(),
    jwt_access_token_expiration: lifetime,
    jwt_refresh_token_expiration: lifetime,
    jwt_audiences: z.array(filled),
    allow_registration: flag(true),
  }),
  rate_limits: rateLimits,
  runtime: block(
    z.object({
      environment: z._default(z.enum(['development', 'test', 'staging', 'production']), runtimeDefaults.environment),
      log_level: z._default(z.enum(['quiet', 'normal', 'verbose', 'debug']), runtimeDefaults.log_level),
      output_format: z._default(z.enum(['text', 'json', 'yaml']), runtimeDefaults.output_format),
      no_color: flag(false),
      non_interactive: flag(false),
    }),
  ),
  cloud: z.pipe(
    z.nullish(z.object({ tenant_id: optionalText, validation: z._default(validation, 'strict') })),
    z.transform(orUndefined),
  ),
  secrets: z.pipe(
    z.nullish(
      z.object({
        secrets_path: filled,
        validation: z._default(validation, 'warn'),
        source: z.enum(['file', 'env']),
      }),
    ),
    z.transform(orUndefined),
  ),
  extensions: block(z.object({ disabled: z._default(z.array(z.string()), []) })),
  gateway: z.pipe(z.nullish(gateway), z.transform(orUndefined)),
});
