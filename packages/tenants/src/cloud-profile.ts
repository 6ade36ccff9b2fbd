import type { StoredTenant } from './stored-tenant.ts';

/** The members of a cloud tenant's `profile.yaml` in their order on disk, as the predecessor writes them. */
export function cloudProfile(name: string, tenant: StoredTenant): object {
  const externalUrl = `https://${tenant.hostname ?? 'cloud.systemprompt.io'}`;
  return {
    name,
    display_name: displayName(name),
    target: 'cloud',
    site: { name: 'systemprompt.io', github_link: null },
    database: { type: 'postgres', external_db_access: tenant.externalDbAccess },
    server: {
      host: '0.0.0.0',
      port: 8080,
      api_server_url: externalUrl,
      api_internal_url: 'http://localhost:8080',
      api_external_url: externalUrl,
      use_https: true,
      cors_allowed_origins: [externalUrl],
      content_negotiation: { enabled: false, markdown_suffix: '.md' },
      security_headers: {
        enabled: true,
        hsts: 'max-age=63072000; includeSubDomains; preload',
        frame_options: 'DENY',
        content_type_options: 'nosniff',
        referrer_policy: 'strict-origin-when-cross-origin',
        permissions_policy: 'camera=(), microphone=(), geolocation=()',
        content_security_policy: null,
      },
    },
    paths: {
      system: '/app',
      services: '/app/services',
      bin: '/app/bin',
      web_path: '/app/web',
      storage: '/app/storage',
      geoip_database: null,
    },
    security: {
      jwt_issuer: 'systemprompt',
      jwt_access_token_expiration: 2_592_000,
      jwt_refresh_token_expiration: 15_552_000,
      jwt_audiences: ['web', 'api', 'a2a', 'mcp'],
      allow_registration: true,
    },
    rate_limits: {
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
    },
    runtime: {
      environment: 'production',
      log_level: 'normal',
      output_format: 'json',
      no_color: true,
      non_interactive: true,
    },
    cloud: { tenant_id: tenant.id, validation: 'strict' },
    secrets: { secrets_path: './secrets.json', validation: 'strict', source: 'env' },
    extensions: { disabled: [] },
    gateway: null,
  };
}

const knownNames: Readonly<Record<string, string>> = {
  dev: 'Development',
  development: 'Development',
  prod: 'Production',
  production: 'Production',
  staging: 'Staging',
  stage: 'Staging',
  test: 'Test',
  testing: 'Test',
  local: 'Local Development',
  cloud: 'Cloud',
};

/** The name of a profile for people. */
export function displayName(name: string): string {
  return knownNames[name.toLowerCase()] ?? name.charAt(0).toUpperCase() + name.slice(1);
}
