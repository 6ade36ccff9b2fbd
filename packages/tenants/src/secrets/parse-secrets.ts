import { listFindings, TenantsError, type TenantsFinding } from '../tenants-error.ts';
import { parseJsonObject } from './json-object.ts';
import { type SecretMember, type Secrets, secretMembers, secretNames } from './secrets.ts';

export const fewestJwtBytes = 32;

/** Reads the text of a `secrets.json`. */
export function parseSecrets(text: string, path: string): Secrets {
  const members = parseJsonObject(text);
  if (members === undefined) throw invalidSecrets(path, [{ member: 'file', problem: 'is not a JSON object' }]);
  const findings: TenantsFinding[] = [];
  const known = new Map<SecretMember, string>();
  for (const member of secretMembers) {
    const { file } = secretNames[member];
    const secret = members.get(file) ?? '';
    members.delete(file);
    if (typeof secret !== 'string') findings.push({ member: file, problem: 'must be a text' });
    else if (secret !== '') known.set(member, secret);
  }
  const custom = new Map<string, string>();
  for (const [member, secret] of members) {
    if (typeof secret === 'string') custom.set(member, secret);
    else findings.push({ member, problem: 'must be a text' });
  }
  return completeSecrets({ known, custom }, { where: path, findings, nameOf: (member) => secretNames[member].file });
}

/** The name of the variable that lists the project's own secrets. */
const customList = 'SYSTEMPROMPT_CUSTOM_SECRETS';

/** Reads the secrets out of environment variables. */
export function secretsFromEnvironment(env: Readonly<Record<string, string | undefined>>): Secrets {
  const variables = new Map(Object.entries(env));
  const known = new Map<SecretMember, string>();
  for (const member of secretMembers) {
    const value = secretNames[member].environment.map((name) => variables.get(name)).find(Boolean);
    if (value !== undefined) known.set(member, value);
  }
  const custom = new Map<string, string>();
  for (const name of (variables.get(customList) ?? '').split(',').map((part) => part.trim())) {
    const value = variables.get(name);
    if (name !== '' && value !== undefined) custom.set(name, value);
  }
  const nameOf = (member: SecretMember): string => secretNames[member].environment[0];
  return completeSecrets({ known, custom }, { where: 'the environment', findings: [], nameOf });
}

/** Whether the environment has a JWT secret that can be used. */
export function hasJwtSecret(env: Readonly<Record<string, string | undefined>>): boolean {
  const secret = Object.hasOwn(env, 'JWT_SECRET') ? env['JWT_SECRET'] : undefined;
  return secret !== undefined && byteLength(secret) >= fewestJwtBytes;
}

/** The error for secrets with these findings. `where` is a file, or `the environment`. */
export function invalidSecrets(where: string, findings: readonly TenantsFinding[]): TenantsError {
  const message = `Invalid secrets in ${where}: ${listFindings(findings)}`;
  return new TenantsError('SP_PROFILE_SECRETS_INVALID', message, { path: where, findings });
}

function completeSecrets(
  {
    known,
    custom,
  }: { readonly known: ReadonlyMap<SecretMember, string>; readonly custom: ReadonlyMap<string, string> },
  options: {
    readonly where: string;
    readonly findings: readonly TenantsFinding[];
    readonly nameOf: (member: SecretMember) => string;
  },
): Secrets {
  const { where, nameOf } = options;
  const findings = [...options.findings];
  const jwtSecret = known.get('jwtSecret') ?? '';
  const databaseUrl = known.get('databaseUrl') ?? '';
  const wrong = (member: string): boolean => findings.some((finding) => finding.member === member);
  const require = (member: SecretMember, isRight: boolean, problem: string): void => {
    if (!isRight && !wrong(nameOf(member))) findings.push({ member: nameOf(member), problem });
  };
  require('jwtSecret', byteLength(jwtSecret) >= fewestJwtBytes, `must have at least ${fewestJwtBytes} bytes`);
  require('databaseUrl', databaseUrl !== '', 'is missing');
  if (findings.length > 0) throw invalidSecrets(where, findings);
  return { ...Object.fromEntries(known), jwtSecret, databaseUrl, custom };
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
