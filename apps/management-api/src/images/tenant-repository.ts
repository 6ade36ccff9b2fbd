/** The one repository that tenants see. */
export const publicRepository = 'systemprompt-images';

/** The tag of a tenant's image in the public repository. */
export function tenantTag(tenantId: string): string {
  return `tenant-${tenantId}`;
}

/** The tenant of a tag; `undefined` when it is no tenant's. */
export function tenantOfTag(tag: string): string | undefined {
  return /^tenant-(.+)$/.exec(tag)?.[1];
}

/**
 * Where a tenant's content really is: a repository of its own behind the public name, so that knowing the digest of
 * another tenant's layer gives nothing.
 */
export function storageRepository(tenantId: string): string {
  return `${publicRepository}/${tenantTag(tenantId)}`;
}
