import type { CustomDomain } from '@sp/cloud-api';
import { renderFields } from '../output/table.ts';
import type { Target } from './target.ts';

/** The tenant's custom domain; `undefined` when it has none. */
export async function findDomain({ id, api }: Target, signal: AbortSignal): Promise<CustomDomain | undefined> {
  const { isCloudApiError } = await import('@sp/cloud-api');
  return await api.domains.get(id, { signal }).catch((error: unknown) => {
    if (isCloudApiError(error) && error.status === 404) return undefined;
    throw error;
  });
}

/** The domain, and until it is verified the record that its owner must make. */
export function renderDomain({ domain, status, verified, dnsInstructions: record }: CustomDomain): string {
  const dns = `${record.host} ${record.ttl} IN ${record.recordType} ${record.value}`;
  return renderFields({ Domain: domain, Status: status, 'DNS record': verified ? undefined : dns });
}
