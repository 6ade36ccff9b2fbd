import { access } from 'node:fs/promises';
import type { TenantsFinding } from '../tenants-error.ts';
import type { Profile } from './profile.ts';

/**
 * Everything that is wrong with a profile whose members are all there and of the right kind; nothing when it can be
 * used. For a local one it looks whether its folders exist.
 *
 * @example
 * const findings = await validateProfile(profile); // [{ member: 'paths.bin', problem: 'does not exist' }]
 */
export async function validateProfile(profile: Profile): Promise<readonly TenantsFinding[]> {
  const findings = [...profileFindings(profile)];
  if (profile.target === 'cloud') return findings;
  for (const [member, path] of Object.entries(pathMembers(profile))) {
    const exists = path === undefined || (await access(path).then(yes, no));
    if (!exists) findings.push({ member: `paths.${member}`, problem: 'does not exist' });
  }
  return findings;
}

/** The part that can be told without looking at the disk. */
export function profileFindings(profile: Profile): readonly TenantsFinding[] {
  return [...limitFindings(profile), ...(profile.target === 'cloud' ? imageFindings(profile) : [])];
}

/** A limit of 0 lets nobody in. The two registries are not looked at: nobody needs them. */
function limitFindings({ rateLimits }: Profile): readonly TenantsFinding[] {
  if (rateLimits.disabled) return [];
  const limits = {
    burst_multiplier: rateLimits.burstMultiplier,
    oauth_public_per_second: rateLimits.oauthPublicPerSecond,
    oauth_auth_per_second: rateLimits.oauthAuthPerSecond,
    contexts_per_second: rateLimits.contextsPerSecond,
    tasks_per_second: rateLimits.tasksPerSecond,
    artifacts_per_second: rateLimits.artifactsPerSecond,
    agents_per_second: rateLimits.agentsPerSecond,
    mcp_per_second: rateLimits.mcpPerSecond,
    stream_per_second: rateLimits.streamPerSecond,
    content_per_second: rateLimits.contentPerSecond,
  };
  return Object.entries(limits)
    .filter(([, limit]) => limit === 0)
    .map(([member]) => ({ member: `rate_limits.${member}`, problem: 'must be more than 0' }));
}

/** A cloud profile talks about the folders of the tenant's image. */
function imageFindings(profile: Profile): readonly TenantsFinding[] {
  const { system, services, bin, web_path: web } = pathMembers(profile);
  const findings = Object.entries({ system, services, bin })
    .filter(([, path]) => !/^\/app(\/|$)/.test(path))
    .map(([member]) => ({ member: `paths.${member}`, problem: 'must be below /app' }));
  if (web === undefined || (/^\/app\/web(\/|$)/.test(web) && !web.includes('/services/web'))) return findings;
  return [...findings, { member: 'paths.web_path', problem: 'must be below /app/web' }];
}

function pathMembers({ paths }: Profile): {
  readonly system: string;
  readonly services: string;
  readonly bin: string;
  readonly web_path: string | undefined;
  readonly storage: string | undefined;
  readonly geoip_database: string | undefined;
} {
  const { system, services, bin, webPath, storage, geoipDatabase } = paths;
  return { system, services, bin, web_path: webPath, storage, geoip_database: geoipDatabase };
}

const yes = (): boolean => true;
const no = (): boolean => false;
