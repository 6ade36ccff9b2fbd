import { readPrivateFile, updatePrivateFile } from '@sp/private-file';
import { LocalPostgresError } from './local-postgres-error.ts';
import {
  parseSharedConfig,
  serializeSharedConfig,
  sharedConfigPath,
  type TenantDatabaseEntry,
} from './shared-config.ts';

/** Which databases of the server belong to tenants of a project; empty when it never had one. */
export async function listTenantDatabases(folder: string): Promise<readonly TenantDatabaseEntry[]> {
  const path = sharedConfigPath(folder);
  return parseSharedConfig(await readPrivateFile(path), path)?.tenantDatabases ?? [];
}

/** Remembers whose a database is. Repeating it changes nothing. */
export async function recordTenantDatabase(folder: string, entry: TenantDatabaseEntry): Promise<void> {
  await change(folder, (entries) => [...entries.filter(({ tenantId }) => tenantId !== entry.tenantId), entry]);
}

/** Forgets a tenant's database. One that is not known is no error. */
export async function forgetTenantDatabase(folder: string, tenantId: string): Promise<void> {
  await change(folder, (entries) => entries.filter((each) => each.tenantId !== tenantId));
}

async function change(
  folder: string,
  update: (entries: readonly TenantDatabaseEntry[]) => readonly TenantDatabaseEntry[],
): Promise<void> {
  const path = sharedConfigPath(folder);
  await updatePrivateFile(path, (text) => {
    const config = parseSharedConfig(text, path);
    if (config === undefined) {
      throw new LocalPostgresError('SP_POSTGRES_CONFIG_INVALID', `${path} is not there: the server was never started`, {
        path,
      });
    }
    return serializeSharedConfig({ ...config, tenantDatabases: update(config.tenantDatabases) }, text);
  });
}
