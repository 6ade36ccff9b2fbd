import type { Logger } from 'pino';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Images } from '../images/registry.ts';
import type { Billing } from '../ports/billing.ts';
import type { Certificates } from '../ports/certificates.ts';
import type { Databases } from '../ports/databases.ts';
import type { Dns } from '../ports/dns.ts';
import type { Identity } from '../ports/identity.ts';
import type { Machines } from '../ports/machines.ts';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';
import type { EventFeed } from '../tenants/event-feed.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import type { Workflows } from '../workflows/engine.ts';

/** Everything that the API stands on. */
export interface Ports {
  readonly store: Store;
  readonly vault: Vault;
  readonly identity: Identity;
  readonly billing: Billing;
  readonly machines: Machines;
  readonly databases: Databases;
  readonly dns: Dns;
  /** For tenants' custom domains. @defaultValue none: whoever serves the tenants needs no certificates, or has them */
  readonly certificates?: Certificates | undefined;
  readonly images: Pick<Images, 'fetch' | 'issueToken' | 'expectedImage' | 'resolve'>;
  readonly workflows: Pick<
    Workflows,
    | 'startProvisioning'
    | 'startDeploy'
    | 'waitForRelease'
    | 'startOperation'
    | 'waitForOperation'
    | 'cancelWaiting'
    | 'settleSubscription'
  >;
  readonly feed: Pick<EventFeed, 'follow' | 'join' | 'leave'>;
  readonly tokens: AccessTokens;
}

/** What handlers use: the ports, and the facts about this installation. */
export interface RouteDeps extends Ports {
  /** The API's public address, without a slash at the end. */
  readonly baseUrl: string;
  /** The address of a tenant's page. */
  appUrl(hostname: string): string;
  /** The host of a new tenant's page. */
  hostname(name: string, suffix: string, appName: string): string;
  readonly logger: Logger;
  /** Where it is kept who did what. */
  readonly audit: AuditLog;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Of how many of a tenant's last images a rollback may bring back one. */
  readonly keptReleases: number;
  /** How long a deploy request waits for the result. */
  readonly deployPatienceMs: number;
}
