import type { StoredTenant } from '../store/stored-tenant.ts';
import { rateLimitDefaults, runtimeDefaults, securityHeaderDefaults } from './profile-defaults.ts';

/** Where a project has what a local profile runs; absolute. */
export interface LocalFolders {
  readonly system: string;
  readonly services: string;
  readonly bin: string;
  readonly storage: string;
}

/** The members of a new `profile.yaml` in their order on disk, as the predecessor writes them. */
export function newProfile(options: {
  readonly name: string;
  readonly tenant: StoredTenant;
  readonly folders: LocalFolders;
  /** Whether a cloud tenant is reached over https. */
  readonly useHttps: boolean;
}): object {
  const { name, tenant, folders, useHttps } = options;
  const forCloud = tenant.tenantType === 'cloud';
  const localUrl = 'http://localhost:8080';
  const externalUrl = forCloud
    ? `${useHttps ? 'https' : 'http'}://${tenant.hostname ?? 'cloud.systemprompt.io'}`
    : localUrl;
  return {
    name,
    display_name: displayName(name),
    target: tenant.tenantType,
    site: { name: 'systemprompt.io', github_link: null },
    database: { type: 'postgres', external_db_access: tenant.externalDbAccess },
    server: {
      host: forCloud ? '0.0.0.0' : '127.0.0.1',
      port: 8080,
      api_server_url: externalUrl,
      api_internal_url: localUrl,
      api_external_url: externalUrl,
      use_https: forCloud && useHttps,
      cors_allowed_origins: forCloud ? [externalUrl] : [localUrl, 'http://localhost:5173'],
      content_negotiation: { enabled: false, markdown_suffix: '.md' },
      security_headers: securityHeaderDefaults,
    },
    paths: forCloud ? cloudPaths : localPaths(folders),
    security: {
      jwt_issuer: forCloud ? 'systemprompt' : 'systemprompt-local',
      jwt_access_token_expiration: 2_592_000,
      jwt_refresh_token_expiration: 15_552_000,
      jwt_audiences: ['web', 'api', 'a2a', 'mcp'],
      allow_registration: true,
    },
    rate_limits: { ...rateLimitDefaults, disabled: !forCloud },
    runtime: forCloud
      ? {
          ...runtimeDefaults,
          environment: 'production',
          output_format: 'json',
          no_color: true,
          non_interactive: true,
        }
      : { ...runtimeDefaults, log_level: 'verbose' },
    cloud: { tenant_id: tenant.id, validation: forCloud ? 'strict' : 'warn' },
    secrets: forCloud
      ? { secrets_path: './secrets.json', validation: 'strict', source: 'env' }
      : { secrets_path: './secrets.json', validation: 'warn', source: 'file' },
    extensions: { disabled: [] },
    gateway: null,
  };
}

/** Where things are in a tenant's image. */
const cloudPaths = {
  system: '/app',
  services: '/app/services',
  bin: '/app/bin',
  web_path: '/app/web',
  storage: '/app/storage',
  geoip_database: null,
} as const;

function localPaths({ system, services, bin, storage }: LocalFolders): object {
  return { system, services, bin, web_path: null, storage, geoip_database: null };
}

const knownNames: ReadonlyMap<string, string> = new Map([
  ['dev', 'Development'],
  ['development', 'Development'],
  ['prod', 'Production'],
  ['production', 'Production'],
  ['staging', 'Staging'],
  ['stage', 'Staging'],
  ['test', 'Test'],
  ['testing', 'Test'],
  ['local', 'Local Development'],
  ['cloud', 'Cloud'],
]);

/** The name of a profile for people. */
export function displayName(name: string): string {
  return knownNames.get(name.toLowerCase()) ?? name.charAt(0).toUpperCase() + name.slice(1);
}
