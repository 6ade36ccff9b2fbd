import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { entryUrl, medians } from './measure.ts';

interface Tenants {
  newCloudTenant(options: object): object;
  loadTenants(path: string): Promise<unknown>;
  saveTenants(path: string, store: { readonly tenants: readonly object[]; readonly syncedAt: Date }): Promise<void>;
  upsertTenant(path: string, tenant: object): Promise<unknown>;
}

/** Milliseconds to load a store of `count` tenants, and to add one to it. */
export async function storeLoad(
  root: string,
  count: number,
): Promise<{ readonly load: number; readonly upsert: number }> {
  const sdk = (await import(entryUrl(root, 'tenants/dist/index'))) as Tenants;
  const tenant = (index: number): object =>
    sdk.newCloudTenant({
      id: `t_${index}`,
      name: `site ${index}`,
      appId: `sp-t-${index}`,
      hostname: `site-${index}.example.test`,
      region: 'iad',
      databaseUrl: `postgres://u:p@outside.example.test/site_${index}`,
      internalDatabaseUrl: `postgres://u:p@inside.example.test/site_${index}`,
      externalDbAccess: true,
      syncToken: `token-${index}`,
    });
  const folder = await mkdtemp(join(tmpdir(), 'sp bench '));
  try {
    const path = join(folder, 'tenants.json');
    await sdk.saveTenants(path, {
      tenants: Array.from({ length: count }, (_, index) => tenant(index)),
      syncedAt: new Date(),
    });
    return await medians({
      load: () => sdk.loadTenants(path),
      upsert: () => sdk.upsertTenant(path, tenant(count)),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
