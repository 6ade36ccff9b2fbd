import type { CloudApiClient } from '@sp/cloud-api';
import type { Context } from '../context.ts';
import { askConfirm } from '../prompts.ts';

/** Whether the database of a new tenant is to be reached from outside; `undefined` when nobody can be asked. */
export async function askExternalAccess({ interactive }: Context): Promise<boolean | undefined> {
  if (!interactive) return undefined;
  return await askConfirm('Allow the database from outside, for backups and queries of yours?');
}

/**
 * Lets the database be reached from outside. The tenant is paid for and its credentials are not stored yet, so a failure
 * of this is told and no more.
 *
 * @returns whether it can be now
 */
export async function openDatabase(
  tenantId: string,
  { context, api, bin }: { context: Context; api: CloudApiClient; bin: string },
): Promise<boolean> {
  try {
    const { externalDbAccess } = await api.tenants.update(tenantId, { externalDbAccess: true });
    return externalDbAccess;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    context.warn(`The database is not reached from outside yet: ${why}`);
    context.warn(`Try again: ${bin} cloud tenant edit ${tenantId} --external-db-access`);
    return false;
  }
}
