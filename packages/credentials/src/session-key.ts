/** What a CLI session is for: the local project, or a tenant. As JSON it is what the predecessor writes. */
export type SessionKey = { readonly type: 'Local' } | { readonly type: 'Tenant'; readonly value: string };

/** The tenant key of local sessions. */
export const localSessionKey = 'local';

const local: SessionKey = { type: 'Local' };

/** The key of a tenant's sessions, or of the local ones without a tenant. */
export function sessionKeyOf(tenantId?: string): SessionKey {
  return tenantId === undefined || tenantId === localSessionKey ? local : { type: 'Tenant', value: tenantId };
}

/** The key in `index.json`: `local`, or `tenant_<id>`. */
export function toStorageKey(key: SessionKey): string {
  return key.type === 'Local' ? localSessionKey : `tenant_${key.value}`;
}

/** The key behind one of `index.json`; what is neither `local` nor a tenant's counts as local. */
export function fromStorageKey(storageKey: string): SessionKey {
  return storageKey.startsWith('tenant_') ? { type: 'Tenant', value: storageKey.slice('tenant_'.length) } : local;
}

/** The key as people read it: `local`, or `tenant:<id>`. */
export function formatSessionKey(key: SessionKey): string {
  return key.type === 'Local' ? localSessionKey : `tenant:${key.value}`;
}
