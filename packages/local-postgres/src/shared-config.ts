import { join } from 'node:path';
import * as z from 'zod/mini';
import { LocalPostgresError } from './local-postgres-error.ts';

/** What is remembered of the server between two calls. */
export interface SharedConfig {
  /** Of the role `systemprompt_admin`. */
  readonly adminPassword: string;
  /** On 127.0.0.1. */
  readonly port: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Which database is whose. */
  readonly tenantDatabases: readonly TenantDatabaseEntry[];
}

/** The database of a tenant. */
export interface TenantDatabaseEntry {
  /** As in the project's list of tenants. */
  readonly tenantId: string;
  /** On the server. */
  readonly databaseName: string;
}

const schema = z.looseObject({
  admin_password: z.string().check(z.minLength(1)),
  port: z.int().check(z.minimum(1), z.maximum(65_535)),
  created_at: z.string(),
  tenant_databases: z.array(z.looseObject({ tenant_id: z.string(), database_name: z.string() })),
});

/** The file, in a folder of the project's own. */
export function sharedConfigPath(folder: string): string {
  return join(folder, 'shared_config.json');
}

/**
 * Reads what is in the file; `undefined` when there is none.
 * @throws {LocalPostgresError} SP_POSTGRES_CONFIG_INVALID, which names members and not their values
 */
export function parseSharedConfig(text: string | undefined, path: string): SharedConfig | undefined {
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) {
    const members = parsed.error.issues.map((issue) => issue.path.join('.') || 'the file').join(', ');
    throw new LocalPostgresError('SP_POSTGRES_CONFIG_INVALID', `${path} is invalid: ${members}`, { path });
  }
  const { admin_password: adminPassword, port, created_at: createdAt, tenant_databases: entries } = parsed.data;
  const tenantDatabases = entries.map((each) => ({ tenantId: each.tenant_id, databaseName: each.database_name }));
  return { adminPassword, port, createdAt, tenantDatabases };
}

/** The file's text with new values; members that it had besides stay. */
export function serializeSharedConfig(config: SharedConfig, previous: string | undefined): string {
  const before = previous === undefined ? undefined : parseJson(previous);
  const others = typeof before === 'object' && before !== null ? before : {};
  const tenantDatabases = config.tenantDatabases.map(({ tenantId, databaseName }) => ({
    tenant_id: tenantId,
    database_name: databaseName,
  }));
  const members = {
    admin_password: config.adminPassword,
    port: config.port,
    created_at: config.createdAt,
    tenant_databases: tenantDatabases,
  };
  return `${JSON.stringify({ ...members, ...others, ...members }, null, 2)}\n`;
}

function parseJson(text: string): unknown {
  try {
    // Some editors put a mark before UTF-8 that JSON does not know.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}
