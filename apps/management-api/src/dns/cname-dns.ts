import { Resolver } from 'node:dns/promises';
import type { Dns } from '../ports/dns.ts';

/** Looks up what a name is an alias of; throws when it is of nothing. */
export type ResolveCname = (domain: string) => Promise<readonly string[]>;

/** Reads CNAME records. */
export function createCnameDns(options: { readonly resolveCname?: ResolveCname | undefined } = {}): Dns {
  const { resolveCname = systemResolver() } = options;
  return {
    target: (hostname) => hostname.replace(/:\d+$/, ''),
    findAliases: async (domain, { signal } = {}) => {
      if (signal?.aborted) return undefined;
      const names = await resolveCname(domain).catch((error: unknown) => (saysNothingThere(error) ? [] : undefined));
      // Names are the same with and without the dot of the root, and in any case.
      return names?.map((name) => name.toLowerCase().replace(/\.$/, ''));
    },
  };
}

/** Whether a name server has answered that there is no such name or record. */
function saysNothingThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA');
}

// One attempt of two seconds: a request waits for it.
function systemResolver(): ResolveCname {
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  return (domain) => resolver.resolveCname(domain);
}
