/** The chain of what a user does that is about none of their tenants. A tenant's chain has the tenant's id. */
export function accountChain(userId: string): string {
  return `account:${userId}`;
}

/** The chain of those who were not known when they were refused: the operator's to read. */
export const anonymousChain = 'anonymous';
