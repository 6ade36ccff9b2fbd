/** Tells whether a custom domain leads to a tenant. */
export interface Dns {
  /** The name that a custom domain of the tenant must be an alias of. */
  target(hostname: string): string;
  /** What a domain is an alias of now; empty when it is of nothing, `undefined` when it cannot be looked up. */
  findAliases(domain: string, options?: { readonly signal?: AbortSignal }): Promise<readonly string[] | undefined>;
}
