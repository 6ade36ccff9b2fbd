import type { CloudApiClient, TenantInfo } from '@sp/cloud-api';
import type { Context } from '../context.ts';
import type { Finding } from './finding.ts';

/** What is known of a tenant; what the API does not answer is left out. */
interface Evidence {
  readonly name: string;
  /** Why the last release failed, when it did. */
  readonly failure: string | undefined;
  /** Number of its last release, when that failed. */
  readonly failed: number | undefined;
  /** What its machine wrote last. */
  readonly lines: readonly string[];
  readonly secretNames: readonly string[] | undefined;
  /** The record that is missing, of a domain that does not work yet. */
  readonly missingRecord: string | undefined;
}

const apiKeys = ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'GOOGLE_API_KEY'];
const outOfMemory = /out of memory|\boom\b|heap limit|SIGKILL|(?:code|status) 137/i;
const wrongDatabase = /password authentication failed|\b28P01\b|no pg_hba\.conf entry|DATABASE_URL/;

/** The classic troubles of a tenant, as far as they can be seen from here. */
export async function checkTenant(
  context: Context,
  { api, tenant }: { api: CloudApiClient; tenant: TenantInfo },
): Promise<readonly Finding[]> {
  return diagnose(await collect(context, { api, tenant }));
}

async function collect(
  { signal }: Context,
  { api, tenant: { id, name } }: { api: CloudApiClient; tenant: TenantInfo },
): Promise<Evidence> {
  // A doctor who cannot see one thing still looks at the others.
  const tried = <T>(asked: Promise<T>): Promise<T | undefined> => asked.catch(() => undefined);
  const [releases, logs, secrets, domain] = await Promise.all([
    tried(api.releases.list(id, { signal })),
    tried(api.tenants.getLogs(id, { tail: 50, signal })),
    tried(api.secrets.list(id, { signal })),
    tried(api.domains.get(id, { signal })),
  ]);
  const [last] = releases ?? [];
  // Only the release itself has the last words of a machine that is gone.
  const release = last?.status === 'failed' ? await tried(api.releases.get(id, last.id, { signal })) : undefined;
  const record = domain?.verified === false ? domain.dnsInstructions : undefined;
  return {
    name,
    failed: last?.status === 'failed' ? last.number : undefined,
    failure: last?.status === 'failed' ? (last.failure ?? 'no reason is known') : undefined,
    lines: release?.logLines ?? (logs ?? []).map(({ message }) => message),
    secretNames: secrets?.keys,
    missingRecord: record && `${record.host} ${record.ttl} IN ${record.recordType} ${record.value}`,
  };
}

function diagnose({ name, failed, failure, lines, secretNames, missingRecord }: Evidence): readonly Finding[] {
  const said = [failure ?? '', ...lines].join('\n');
  const problem = (check: string, message: string, fix: string): Finding => ({
    check,
    status: 'problem',
    message: `${name}: ${message}`,
    fix,
  });
  const findings: Finding[] = [];
  if (outOfMemory.test(said)) {
    const fix = `systemprompt cloud tenant edit ${name} --memory 512, then: systemprompt cloud restart --tenant ${name}`;
    findings.push(problem('memory', 'its machine ran out of memory', fix));
  } else if (wrongDatabase.test(said)) {
    const fix = `systemprompt cloud tenant rotate-credentials ${name}`;
    findings.push(problem('database', 'its server cannot log in to its database', fix));
  } else if (failure !== undefined) {
    const last = lines.at(-1);
    const words = last === undefined ? failure : `${failure}; it said last: ${last}`;
    const fix = `systemprompt cloud logs --tenant ${name} --release ${failed}`;
    findings.push(problem('health', `its last release failed: ${words}`, fix));
  }
  if (missingRecord !== undefined) {
    const fix = `Make the DNS record: ${missingRecord}`;
    findings.push(problem('certificate', 'its domain does not lead to it yet, so there is no certificate', fix));
  }
  if (secretNames?.some((secret) => apiKeys.includes(secret)) === false) {
    const fix = `systemprompt cloud secrets set ANTHROPIC_API_KEY --tenant ${name}, then: systemprompt cloud restart --tenant ${name}`;
    findings.push({
      check: 'api-keys',
      status: 'warning',
      message: `${name}: no API key of a model provider is set`,
      fix,
    });
  }
  return findings.length > 0
    ? findings
    : [{ check: 'tenant', status: 'ok', message: `${name}: nothing is wrong with it` }];
}
