import { listFindings, TenantsError } from '../tenants-error.ts';
import { fewestJwtBytes } from './parse-secrets.ts';

/** What the tenant reads, where that is not just the name in capitals. */
const readNames: ReadonlyMap<string, string> = new Map([
  ['gemini', 'GEMINI_API_KEY'],
  ['anthropic', 'ANTHROPIC_API_KEY'],
  ['openai', 'OPENAI_API_KEY'],
  ['database_url', 'DATABASE_URL'],
  ['internal_database_url', 'DATABASE_URL'],
]);

/** These are sent under both names: older tenants list the first one, all tenants read the second. */
const additionalNames: ReadonlyMap<string, string> = new Map([
  ['github', 'GITHUB_TOKEN'],
  ['moonshot', 'MOONSHOT_API_KEY'],
  ['qwen', 'QWEN_API_KEY'],
]);

/** Names that a tenant reads without being told about them. */
const wellKnown: ReadonlySet<string> = new Set([
  'JWT_SECRET',
  'DATABASE_URL',
  'SYNC_TOKEN',
  'GEMINI_API_KEY',
  'ANTHROPIC_API_KEY',
  'OPENAI_API_KEY',
  'GITHUB_TOKEN',
]);

/** The platform sets these itself. */
const systemManaged: ReadonlySet<string> = new Set(['FLY_APP_NAME', 'FLY_MACHINE_ID']);

/**
 * The environment variables of a tenant for the members of its `secrets.json`, sorted by name. When two members mean the
 * same variable, the variable's own name wins over an alias, and `internal_database_url` over everything.
 *
 * @throws {@link TenantsError} `SP_PROFILE_SECRETS_INVALID` naming members that cannot be environment variables,
 * and a JWT secret that no tenant takes
 * @example
 * secretsToEnvironment({ anthropic: 'key' }); // { ANTHROPIC_API_KEY: 'key' }
 */
export function secretsToEnvironment(secrets: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(secrets)
    .filter(([, value]) => value !== '')
    .toSorted(([a], [b]) => compare(a, b));
  const findings = entries
    .filter(([name]) => !/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name))
    .map(([member]) => ({ member, problem: 'cannot name an environment variable' }));
  for (const [name, value] of entries) {
    if (name.toUpperCase() !== 'JWT_SECRET' || Buffer.byteLength(value) >= fewestJwtBytes) continue;
    findings.push({ member: name, problem: `must have at least ${fewestJwtBytes} bytes` });
  }
  if (findings.length > 0) {
    throw new TenantsError('SP_PROFILE_SECRETS_INVALID', `Invalid secrets: ${listFindings(findings)}`, { findings });
  }
  const environment = new Map<string, string>();
  const put = (name: string, value: string): void => {
    if (!systemManaged.has(name)) environment.set(name, value);
  };
  // From the weakest claim on a name to the strongest.
  for (const [name, value] of entries) {
    const additional = additionalNames.get(name);
    if (additional !== undefined) put(additional, value);
  }
  for (const [name, value] of entries) put(readNames.get(name) ?? name.toUpperCase(), value);
  for (const [name, value] of entries) if (name === name.toUpperCase()) put(name, value);
  const internal = Object.hasOwn(secrets, 'internal_database_url') ? secrets['internal_database_url'] : undefined;
  if (internal) put('DATABASE_URL', internal);

  const custom = Array.from(environment.keys()).filter((name) => !wellKnown.has(name) && name !== customList);
  if (custom.length > 0) environment.set(customList, custom.toSorted(compare).join(','));
  return Object.fromEntries(Array.from(environment).toSorted(([a], [b]) => compare(a, b)));
}

/** The variable that tells a tenant which other variables are secrets. */
const customList = 'SYSTEMPROMPT_CUSTOM_SECRETS';

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
