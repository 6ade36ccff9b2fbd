import { lookup } from 'node:dns/promises';
import { and, asc, like, ne } from 'drizzle-orm';
import type { Configuration } from '../../configuration/configuration.ts';
import type { Store } from '../../store/database.ts';
import { tenants } from '../../store/schema.ts';
import { type Check, ok, warning } from './check.ts';

const atMost = 200;
const shown = 3;

/** Whether tenants are apps of Fly.io with names of another domain than Fly.io's: each needs a record of its own. */
export function hasOwnFlyDomain({ machines, tenantDomain }: Pick<Configuration, 'machines' | 'tenantDomain'>): boolean {
  return machines === 'fly' && tenantDomain !== 'fly.dev';
}

/** Whether each tenant's name leads somewhere. */
export function tenantNameCheck(
  { tenantDomain }: Pick<Configuration, 'tenantDomain'>,
  {
    store,
    resolve = async (name) => void (await lookup(name)),
  }: {
    readonly store: Store;
    /** Throws for a name that leads nowhere. @defaultValue the resolver of this computer */
    readonly resolve?: ((name: string) => Promise<void>) | undefined;
  },
): Check {
  return {
    name: 'tenant names',
    run: async () => {
      const rows = await store.db
        .select({ hostname: tenants.hostname, appName: tenants.appName })
        .from(tenants)
        .where(and(like(tenants.hostname, `%.${tenantDomain}`), ne(tenants.state, 'deleted')))
        .orderBy(asc(tenants.createdAt))
        .limit(atMost);
      const found = await Promise.all(
        rows.map(({ hostname }) =>
          resolve(hostname).then(
            () => true,
            () => false,
          ),
        ),
      );
      const lost = rows.filter((_, index) => !found[index]);
      if (lost.length === 0) return ok(`${rows.length} names below ${tenantDomain} lead somewhere`);
      const some = lost.slice(0, shown).map(({ hostname, appName }) => `${hostname} CNAME ${appName}.fly.dev`);
      const more = lost.length > shown ? ` and ${lost.length - shown} more` : '';
      return warning(
        `${lost.length} of ${rows.length} names lead nowhere; records are missing: ${some.join(', ')}${more}`,
      );
    },
  };
}
