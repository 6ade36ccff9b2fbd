/** What a profile means when it does not say; by the names on disk. */
export const securityHeaderDefaults = {
  enabled: true,
  hsts: 'max-age=63072000; includeSubDomains; preload',
  frame_options: 'DENY',
  content_type_options: 'nosniff',
  referrer_policy: 'strict-origin-when-cross-origin',
  permissions_policy: 'camera=(), microphone=(), geolocation=()',
  content_security_policy: null,
} as const;

/** The same, of `rate_limits`. */
export const rateLimitDefaults = {
  disabled: false,
  oauth_public_per_second: 10,
  oauth_auth_per_second: 10,
  contexts_per_second: 100,
  tasks_per_second: 50,
  artifacts_per_second: 50,
  agent_registry_per_second: 50,
  agents_per_second: 20,
  mcp_registry_per_second: 50,
  mcp_per_second: 200,
  stream_per_second: 100,
  content_per_second: 50,
  burst_multiplier: 3,
  tier_multipliers: { admin: 10, user: 1, a2a: 5, mcp: 5, service: 5, anon: 0.5 },
} as const;

/** The same, of `runtime`. */
export const runtimeDefaults = {
  environment: 'development',
  log_level: 'normal',
  output_format: 'text',
  no_color: false,
  non_interactive: false,
} as const;
