import { createHmac } from 'node:crypto';
import type { DiffSecretsRequest, SecretsDiff } from '@sp/cloud-api/contract';
import { eq } from 'drizzle-orm';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';
import { releases } from '../store/schema.ts';
import { platformDecided } from '../tenants/environment.ts';
import { readSecretsVersion } from '../tenants/secret-versions.ts';
import { readSecrets } from '../tenants/secrets.ts';
import type { TenantRow } from '../tenants/tenants.ts';

/** The key for the digests by which a tenant's secrets are compared; nothing else is made with it. */
export function secretDigestKey(vault: Vault, tenantId: string): Buffer {
  return vault.derive(`secret-digest|${tenantId}`);
}

/**
 * What a deploy changes for the machine: the secrets as they will be against those of the release that runs. Names that
 * the platform decides are left out: whatever is sent for them changes nothing.
 */
export async function diffSecrets(
  deps: { readonly store: Store; readonly vault: Vault },
  request: { readonly tenant: TenantRow } & DiffSecretsRequest,
): Promise<SecretsDiff> {
  const { tenant, secrets, prune = false } = request;
  const key = secretDigestKey(deps.vault, tenant.id);
  const digestsAt = async (version?: number): Promise<Map<string, string>> => {
    const values = await readSecrets(deps, { tenantId: tenant.id, kind: 'user', version });
    return new Map(Object.entries(values).map(([name, value]) => [name, secretDigest(key, { name, value })]));
  };
  const running = await frozenVersion(deps.store, tenant);
  const [version, set, now] = await Promise.all([
    readSecretsVersion(deps.store.db, { tenantId: tenant.id, kind: 'user' }),
    digestsAt(),
    running === undefined ? new Map<string, string>() : digestsAt(running),
  ]);
  const next = new Map([...(prune ? [] : set), ...Object.entries(secrets)]);
  return {
    added: sorted(next.keys(), (name) => !now.has(name)),
    changed: sorted(next.keys(), (name) => now.has(name) && now.get(name) !== next.get(name)),
    removed: sorted(now.keys(), (name) => !next.has(name)),
    remoteOnly: sorted(set.keys(), (name) => !Object.hasOwn(secrets, name)),
    version,
  };
}

/** The digest of one secret: clients make the same. */
function secretDigest(key: Buffer, secret: { readonly name: string; readonly value: string }): string {
  return createHmac('sha256', key).update(`${secret.name}\0${secret.value}`).digest('hex');
}

async function frozenVersion(store: Store, tenant: TenantRow): Promise<number | undefined> {
  if (tenant.currentReleaseId === null) return undefined;
  const [row] = await store.db
    .select({ version: releases.secretsVersion })
    .from(releases)
    .where(eq(releases.id, tenant.currentReleaseId));
  return row?.version;
}

function sorted(names: Iterable<string>, filter: (name: string) => boolean): string[] {
  return Array.from(names)
    .filter((name) => !platformDecided.has(name) && filter(name))
    .sort();
}
