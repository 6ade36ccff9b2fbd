import type { Certificate, Certificates, DnsRecord } from '../../ports/certificates.ts';
import { appUrl, type FlyContext, type FlyScope } from './fly-context.ts';
import { anything, certificateSchema, type FlyCertificate } from './fly-wire.ts';
import { makeOnce } from './make-once.ts';

type HostScope = FlyScope & { readonly hostname: string };

/** Certificates by ACME, which Fly.io gets and renews. */
export function flyCertificates(context: FlyContext): Certificates {
  return {
    ensure: (appName, hostname, { signal } = {}) => ensureCertificate(context, { appName, hostname, signal }),
    async check(appName, hostname, { signal } = {}) {
      const url = `${certificateUrl(context, { appName, hostname })}/check`;
      const facts = { action: 'certificate-check', appName, method: 'POST', url, answer: certificateSchema } as const;
      const found = await context.api.call({ ...facts, body: {}, missing: 'absent', signal });
      return found === undefined ? undefined : toCertificate(hostname, found);
    },
    async remove(appName, hostname, { signal } = {}) {
      const url = certificateUrl(context, { appName, hostname });
      const facts = { action: 'certificate-delete', appName, method: 'DELETE', url, answer: anything } as const;
      await context.api.call({ ...facts, missing: 'absent', signal });
    },
  };
}

/** Asks for a certificate, unless that was done. */
export async function ensureCertificate(context: FlyContext, scope: HostScope): Promise<Certificate> {
  const { api } = context;
  const { appName, hostname, signal } = scope;
  const find = (): Promise<FlyCertificate | undefined> => findCertificate(context, scope);
  const make = (): Promise<FlyCertificate> => {
    const url = `${appUrl(context, appName)}/certificates/acme`;
    const facts = { action: 'certificate-create', appName, method: 'POST', url, answer: certificateSchema } as const;
    return api.call({ ...facts, body: { hostname }, signal });
  };
  const found = (await find()) ?? (await makeOnce({ find, make, settleMs: api.settleMs, signal }));
  return toCertificate(hostname, found);
}

async function findCertificate(context: FlyContext, scope: HostScope): Promise<FlyCertificate | undefined> {
  const { appName, signal } = scope;
  const url = certificateUrl(context, scope);
  const facts = { action: 'certificate-get', appName, method: 'GET', url, answer: certificateSchema } as const;
  return await context.api.call({ ...facts, missing: 'absent', signal });
}

function certificateUrl(context: FlyContext, { appName, hostname }: HostScope): string {
  return `${appUrl(context, appName)}/certificates/${encodeURIComponent(hostname)}`;
}

function toCertificate(hostname: string, certificate: FlyCertificate): Certificate {
  const { status, configured, dns_requirements: needs, validation_errors: errors } = certificate;
  const traffic = 'traffic';
  const records: DnsRecord[] = [];
  const add = (type: DnsRecord['type'], record: Omit<DnsRecord, 'type'>): void =>
    void records.push({ type, ...record });
  if (needs?.cname) add('CNAME', { name: hostname, value: needs.cname, purpose: traffic });
  for (const value of needs?.a ?? []) add('A', { name: hostname, value, purpose: traffic });
  for (const value of needs?.aaaa ?? []) add('AAAA', { name: hostname, value, purpose: traffic });
  const challenge = needs?.acme_challenge;
  if (challenge?.name && challenge.target) {
    add('CNAME', { name: challenge.name, value: challenge.target, purpose: 'validation' });
  }
  const ownership = needs?.ownership;
  if (ownership?.name && ownership.app_value) {
    add('TXT', { name: ownership.name, value: ownership.app_value, purpose: 'ownership' });
  }
  const isActive = configured === true && (status === 'active' || status === undefined || status === null);
  const reason = errors?.find(({ message }) => message)?.message ?? undefined;
  return { hostname, status: isActive ? 'active' : 'pending', records, ...(isActive ? {} : { reason }) };
}
