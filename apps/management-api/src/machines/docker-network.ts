import { dockerFailure, type RunDocker } from './docker-command.ts';

/** The network of all tenants' containers at an engine. */
export const tenantNetwork = 'systemprompt-tenants';

/**
 * Makes the network where it is missing. On it no container reaches another one, as they would on the engine's default
 * network: a tenant is reached through the control plane only. One for all, because an engine has addresses for about
 * thirty networks.
 */
export async function ensureTenantNetwork(run: RunDocker, signal: AbortSignal | undefined): Promise<void> {
  const isThere = await run(['network', 'inspect', '--format', '{{.Id}}', tenantNetwork], { signal });
  if (isThere.exitCode === 0) return;
  const apart = 'com.docker.network.bridge.enable_icc=false';
  const made = await run(['network', 'create', '--driver', 'bridge', '--opt', apart, tenantNetwork], { signal });
  if (made.exitCode === 0 || /already exists/i.test(made.stderr)) return;
  throw dockerFailure(made, { step: 'network', appName: tenantNetwork });
}
