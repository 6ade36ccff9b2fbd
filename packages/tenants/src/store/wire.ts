import * as z from 'zod/mini';
import { listFindings, TenantsError, type TenantsFinding } from '../tenants-error.ts';
import { withoutMark } from '../without-mark.ts';
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

const wireNames = Object.entries(memberNames) as readonly (readonly [
  keyof StoredTenant,
  (typeof memberNames)[keyof StoredTenant],
])[];

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
    value = JSON.parse(withoutMark(text));
  } catch {
    // The reason of a SyntaxError quotes the text, and the text holds passwords.
    throw corrupted('it is not JSON');
  }
  const parsed = fileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const findings = parsed.error.issues.map((issue) => ({
    member: issue.path.join('.') || 'file',
    problem: 'is not as expected',
  }));
  throw corrupted(listFindings(findings), findings);
}

/** The store without what this version does not know. */
export function storeFromFile(file: StoreFile, path: string): TenantStore {
  const tenants = file.tenants.map((entry): StoredTenant => {
    const tenant: Record<string, unknown> = {};
    for (const [name, wire] of wireNames) if (entry[wire] != null) tenant[name] = entry[wire];
    // The schema has checked the types; members that are absent stay absent.
    return tenant as unknown as StoredTenant;
  });
  checkTenants(tenants, path);
  return { tenants, syncedAt: new Date(file.synced_at) };
}

/** The text of `tenants.json`: known members in their order, then those of `previous` that this version does not know. */
export function formatStore(store: TenantStore, previous: StoreFile | undefined, path: string): string {
  checkTenants(store.tenants, path);
  // Backwards, because the first tenant of an id is the one that counts.
  const before = new Map(previous?.tenants.toReversed().map((tenant) => [tenant.id, tenant]));
  const tenants = store.tenants.map((tenant) => {
    const entry: Record<string, unknown> = {};
    for (const [name, wire] of wireNames) if (tenant[name] !== undefined) entry[wire] = tenant[name];
    return { ...entry, ...unknownMembers(before.get(tenant.id), knownNames) };
  });
  const known = { tenants, synced_at: store.syncedAt.toISOString() };
  return JSON.stringify({ ...known, ...unknownMembers(previous, new Set(Object.keys(known))) }, undefined, 2);
}

const knownNames: ReadonlySet<string> = new Set(Object.values(memberNames));

function unknownMembers(value: object | undefined, known: ReadonlySet<string>): object | undefined {
  if (value === undefined || Object.keys(value).every((name) => known.has(name))) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !known.has(name)));
}

function checkTenants(tenants: readonly StoredTenant[], path: string): void {
  const findings: TenantsFinding[] = [];
  for (const [index, { id, name }] of tenants.entries()) {
    const empty = (member: string): TenantsFinding => ({
      member: `tenants.${index}.${member}`,
      problem: 'must not be empty',
    });
    if (id === '') findings.push(empty('id'));
    if (name === '') findings.push(empty('name'));
  }
  if (findings.length === 0) return;
  throw new TenantsError('SP_TENANTS_INVALID', `Invalid tenants in ${path}: ${listFindings(findings)}`, {
    path,
    findings,
  });
}
