import type { CloudApiClient, TenantInfo } from '@sp/cloud-api';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';

/** What is said of a tenant that the project knows and its account does not. */
export const notOfAccount = 'not of this account';

/**
 * The tenant as the API knows it now.
 *
 * @throws {CliError} `SP_CLI_TENANT_NOT_FOUND` naming the tenant and the account, when the account has none like that
 */
export async function tenantOfAccount(
  context: Context,
  { id, name, api }: { readonly id: string; readonly name: string; readonly api: CloudApiClient },
): Promise<TenantInfo> {
  try {
    return await api.tenants.get(id, { signal: context.signal });
  } catch (error) {
    const { isCloudApiError } = await import('@sp/cloud-api');
    if (!isCloudApiError(error) || error.code !== 'SP_API_NOT_FOUND') throw error;
    const { userEmail, apiUrl } = (await context.credentials()).credentials;
    const who = userEmail === '' ? 'The account that is logged in' : userEmail;
    throw new CliError(
      'SP_CLI_TENANT_NOT_FOUND',
      `${who} has no tenant ${name} (${id}) at ${apiUrl}: it was deleted, or is another account's`,
      { tenantId: id, next: [`${context.bin} cloud auth whoami`, `${context.bin} cloud auth login`] },
    );
  }
}
