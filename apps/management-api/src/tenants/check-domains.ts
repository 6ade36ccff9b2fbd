import { and, asc, eq, isNotNull, isNull, lt, or, sql } from 'drizzle-orm';
import type { Logger } from 'pino';
import type { Certificates } from '../ports/certificates.ts';
import type { Dns } from '../ports/dns.ts';
import type { Store } from '../store/database.ts';
import { customDomains, tenants } from '../store/schema.ts';

const minuteMs = 60_000;
/** Between two looks at a domain that is right, and at one that is not. */
const everyMs = 60 * minuteMs;
const failingEveryMs = 5 * minuteMs;
/** At most so many in one pass: each may take a name server and a provider some seconds. */
const passSize = 20;
const patienceMs = 10_000;

/** What {@link checkDomains} asks. */
export interface CheckDomainsDeps {
  readonly store: Store;
  readonly dns: Dns;
  /** @defaultValue none: nothing is asked about certificates */
  readonly certificates?: Pick<Certificates, 'check'> | undefined;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Looks again at custom domains that were proved, each about once an hour: since when one's record or certificate is not
 * right any more is noted, and that it is right again. A look that fails says nothing.
 */
export async function checkDomains(
  deps: CheckDomainsDeps,
  { now, signal }: { readonly now: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { store, logger } = deps;
  const before = (ms: number): Date => new Date(now - ms);
  const checkedAt = sql`coalesce(${customDomains.checkedAt}, ${customDomains.verifiedAt})`;
  const { failingSince } = customDomains;
  const isDue = or(
    and(isNull(failingSince), lt(checkedAt, before(everyMs))),
    and(isNotNull(failingSince), lt(checkedAt, before(failingEveryMs))),
  );
  const due = await store.db
    .select({ stored: customDomains, appName: tenants.appName, hostname: tenants.hostname })
    .from(customDomains)
    .innerJoin(tenants, eq(tenants.id, customDomains.tenantId))
    .where(and(isNotNull(customDomains.verifiedAt), isDue))
    .orderBy(asc(checkedAt))
    .limit(passSize);
  for (const { stored, appName, hostname } of due) {
    if (signal?.aborted === true) return;
    const { tenantId, domain } = stored;
    const same = and(eq(customDomains.tenantId, tenantId), eq(customDomains.domain, domain));
    // Before the look: another replica looks at others meanwhile.
    const claimed = await store.db
      .update(customDomains)
      .set({ checkedAt: new Date(now) })
      .where(and(same, isDue))
      .returning({ tenantId: customDomains.tenantId });
    if (claimed.length === 0) continue;
    const trouble = await findTrouble(deps, { appName, hostname, domain });
    if (trouble === undefined) continue;
    const facts = { tenant: tenantId, domain };
    if (trouble !== null) logger.warn({ ...facts, reason: trouble }, 'a custom domain is not right any more');
    else if (stored.failingSince !== null) logger.info(facts, 'a custom domain is right again');
    if ((trouble === null) === (stored.failingSince === null)) continue;
    await store.db
      .update(customDomains)
      .set({ failingSince: trouble === null ? null : new Date(now) })
      .where(same);
  }
}

/** What is wrong with a domain; `null`: nothing; `undefined`: nobody knows. */
async function findTrouble(
  { dns, certificates }: CheckDomainsDeps,
  { appName, hostname, domain }: { readonly appName: string; readonly hostname: string; readonly domain: string },
): Promise<string | null | undefined> {
  const target = dns.target(hostname).toLowerCase();
  const aliases = await dns.findAliases(domain);
  if (aliases === undefined) return undefined;
  if (!aliases.includes(target)) return `its record leads to ${aliases.join(', ') || 'nothing'}, not to ${target}`;
  try {
    const certificate = await certificates?.check(appName, domain, { signal: AbortSignal.timeout(patienceMs) });
    if (certificates === undefined || certificate?.status === 'active') return null;
    return `it has no certificate: ${certificate?.reason ?? 'none was asked for'}`;
  } catch {
    return undefined;
  }
}
