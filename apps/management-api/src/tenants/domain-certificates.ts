import type { Logger } from 'pino';
import type { Certificates } from '../ports/certificates.ts';

/** How long a provider may take in a request of a person's, in milliseconds. */
const patienceMs = 10_000;

/** The certificates of tenants' custom domains, where a provider and not our proxy has them. */
export interface DomainCertificates {
  /** Asks for one unless that was done; whether it is there. A provider that does not answer has none yet. */
  isReady(tenant: { readonly id: string; readonly appName: string }, domain: string): Promise<boolean>;
  /** Gives one up; what is left then goes with the tenant's app. */
  remove(tenant: { readonly id: string; readonly appName: string }, domain: string): Promise<void>;
}

/** Without a provider nothing is needed. */
export function createDomainCertificates(deps: {
  readonly certificates: Certificates | undefined;
  readonly logger: Pick<Logger, 'warn'>;
}): DomainCertificates {
  const { certificates, logger } = deps;
  const tell = (tenant: { readonly id: string }, error: unknown): void => {
    const reason = error instanceof Error ? error.message : 'unknown failure';
    logger.warn({ tenant: tenant.id, reason }, 'the provider did not answer about a certificate');
  };
  return {
    async isReady(tenant, domain) {
      if (certificates === undefined) return true;
      const options = { signal: AbortSignal.timeout(patienceMs) };
      try {
        const found =
          (await certificates.check(tenant.appName, domain, options)) ??
          (await certificates.ensure(tenant.appName, domain, options));
        return found.status === 'active';
      } catch (error) {
        tell(tenant, error);
        return false;
      }
    },
    async remove(tenant, domain) {
      const options = { signal: AbortSignal.timeout(patienceMs) };
      await certificates?.remove(tenant.appName, domain, options).catch((error: unknown) => tell(tenant, error));
    },
  };
}
