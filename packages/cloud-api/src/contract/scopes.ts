/** What an API token may do. A login may do everything. */
export const apiScopes = ['tenants:read', 'tenants:write', 'deploy', 'secrets:write', 'account'] as const;

/** One of {@link apiScopes}. */
export type ApiScope = (typeof apiScopes)[number];
