import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import type { Vault } from '../src/ports/vault.ts';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/postgres/embedded.ts';
import { openStore, type Store } from '../src/store/database.ts';
import { migrateStore } from '../src/store/migrate.ts';
import { tenants, users } from '../src/store/schema.ts';
import { createPaidTenant, type TenantRow } from '../src/tenants/tenants.ts';
import { createVault } from '../src/vault/file-vault.ts';

/** A migrated database on a Postgres of its own, and a vault. */
export interface TestDatabase {
  readonly store: Store;
  readonly vault: Vault;
  readonly adminUrl: string;
  close(): Promise<void>;
}

export async function startTestDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'sp-core-'));
  const dataDir = join(folder, 'postgres');
  const server = await startEmbeddedPostgres({ dataDir });
  const store = await openStore(server.url);
  // Nobody needs the data after a power cut: every database that is made or dropped would wait for the disk.
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit']) {
    await store.pool.query(`alter system set ${setting} = off`);
  }
  await store.pool.query('select pg_reload_conf()');
  await migrateStore(store);
  return {
    store,
    vault: createVault(randomBytes(32)),
    adminUrl: server.url,
    close: async () => {
      await store.close();
      await server.stop();
      await removeEmbeddedPostgres({ dataDir });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function insertUser(store: Store): Promise<string> {
  const [user] = await store.db.insert(users).values({ email: 'ada@example.com' }).returning();
  if (user === undefined) throw new Error('no user');
  return user.id;
}

export async function insertPaidTenant(
  store: Store,
  request: { ownerId: string; name?: string; checkoutSessionId?: string },
): Promise<TenantRow> {
  const { ownerId, name = 'shop', checkoutSessionId = `cs_${randomBytes(8).toString('hex')}` } = request;
  return await store.db.transaction((tx) =>
    createPaidTenant(tx, {
      ownerId,
      name,
      region: 'iad',
      plan: { id: 'starter', name: 'Starter', paddlePriceId: 'pri_1', memoryMbDefault: 512, volumeGb: 1 },
      subscriptionId: 'sub_1',
      checkoutSessionId,
      hostname: (name, suffix) => `${name}-${suffix}.localhost:7300`,
    }),
  );
}

export async function readTenant(store: Store, id: string): Promise<TenantRow> {
  const [tenant] = await store.db.select().from(tenants).where(eq(tenants.id, id));
  if (tenant === undefined) throw new Error(`no tenant ${id}`);
  return tenant;
}
