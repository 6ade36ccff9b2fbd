import * as z from 'zod/mini';
import { listFindings, TenantsError, type TenantsFinding } from '../tenants-error.ts';
import type { StoredTenant, TenantStore } from './stored-tenant.ts';

/** `snake_case` on disk, `camelCase` in TypeScript: this file is the only place that knows both. */
const memberNames = {
  id: 'id',
  name: 'name',
  appId: 'app_id',
  hostname: 'hostname',
  region: 'region',
  databaseUrl: 'database_url',
  internalDatabaseUrl: 'internal_database_url',
  tenantType: 'tenant_type',
  externalDbAccess: 'external_db_access',
  syncToken: 'sync_token',
  sharedContainerDb: 'shared_container_db',
} as const satisfies Record<keyof StoredTenant, string>;

const optionalText = z.nullish(z.string());

const fileSchema = z.looseObject({
  tenants: z.array(
    z.looseObject({
      id: z.string(),
      name: z.string(),
      app_id: optionalText,
      hostname: optionalText,
      region: optionalText,
      database_url: optionalText,
      internal_database_url: optionalText,
      tenant_type: z._default(z.enum(['local', 'cloud']), 'local'),
      external_db_access: z._default(z.boolean(), false),
      sync_token: optionalText,
      shared_container_db: optionalText,
    }),
  ),
  synced_at: z.iso.datetime({ offset: true }),
});

/** A tenant store as it is on disk, unknown members included. */
export type StoreFile = z.infer<typeof fileSchema>;

/** Reads the text of `tenants.json`. */
export function parseStoreFile(text: string, path: string): StoreFile {
  const corrupted = (why: string, findings?: readonly TenantsFinding[]): TenantsError =>
    new TenantsError('SP_TENANTS_CORRUPTED', `Cannot read ${path}: ${why}`, { path, findings });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The reason of a SyntaxError quotes the text, and the text holds passwords.
    throw corrupted('it is not JSON');
  }
  const parsed = fileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const findings = parsed.error.issues.map((issue) => ({
    member: issue.path.join('.'),
    problem: 'is not as expected',
  }));
  throw corrupted(listFindings(findings), findings);
}

/** The store without what this version does not know. */
export function storeFromFile(file: StoreFile, path: string): TenantStore {
  const tenants = file.tenants.map((entry): StoredTenant => {
    const members = Object.entries(memberNames).map(([name, wire]) => [name, entry[wire] ?? undefined] as const);
    // The schema has checked the types; members that are absent stay absent.
    return Object.fromEntries(members.filter(([, value]) => value !== undefined)) as unknown as StoredTenant;
  });
  checkTenants(tenants, path);
  return { tenants, syncedAt: new Date(file.synced_at) };
}

/** The text of `tenants.json`: known members in their order, then those of `previous` that this version does not know. */
export function formatStore(store: TenantStore, previous: StoreFile | undefined, path: string): string {
  checkTenants(store.tenants, path);
  // Backwards, because the first tenant of an id is the one that counts.
  const before = new Map(previous?.tenants.toReversed().map((tenant) => [tenant.id, tenant]));
  const names = Object.keys(memberNames) as (keyof StoredTenant)[];
  const tenants = store.tenants.map((tenant) => {
    const members = names.map((name) => [memberNames[name], tenant[name]] as const);
    return {
      ...Object.fromEntries(members.filter(([, value]) => value !== undefined)),
      ...unknownMembers(before.get(tenant.id), knownNames),
    };
  });
  const known = { tenants, synced_at: store.syncedAt.toISOString() };
  return JSON.stringify({ ...known, ...unknownMembers(previous, new Set(Object.keys(known))) }, undefined, 2);
}

const knownNames: ReadonlySet<string> = new Set(Object.values(memberNames));

function unknownMembers(value: object | undefined, known: ReadonlySet<string>): object {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([name]) => !known.has(name)));
}

function checkTenants(tenants: readonly StoredTenant[], path: string): void {
  const findings = tenants.flatMap((tenant, index) =>
    (['id', 'name'] as const)
      .filter((member) => tenant[member] === '')
      .map((member) => ({ member: `tenants.${index}.${member}`, problem: 'must not be empty' })),
  );
  if (findings.length === 0) return;
  throw new TenantsError('SP_TENANTS_INVALID', `Invalid tenants in ${path}: ${listFindings(findings)}`, {
    path,
    findings,
  });
}
