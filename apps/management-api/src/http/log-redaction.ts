/** Members whose values no log line may show, wherever they are in what is logged. Nothing logs them on purpose. */
const secretMembers: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'password',
  'token',
  'accesstoken',
  'refreshtoken',
  'devicecode',
  'codeverifier',
  'secret',
  'secrets',
  'secretsurl',
  'webhooksecret',
  'webhooksecrets',
  'apikey',
  'privatekey',
  'vaultkey',
  'env',
  'connectionstring',
  'databaseurl',
  'internaldatabaseurl',
  'externaldatabaseurl',
  'adminurl',
  'synctoken',
]);

const censor = '[redacted]';
const deepest = 6;

/**
 * pino's `formatters.log` for this program: a net below the rule that secrets are not logged.
 * Not its `redact`, which copies every line for each of its paths: a line without such members is passed on as it is.
 */
export function redactSecrets(logged: Record<string, unknown>): Record<string, unknown> {
  return redact(logged, 0) as Record<string, unknown>;
}

function redact(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  // Nobody logs anything so deep, unless it goes in circles.
  if (depth === deepest) return censor;
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  let copy: Record<string, unknown> | undefined;
  const members = value as Record<string, unknown>;
  for (const name of Object.keys(members)) {
    const member = members[name];
    const shown = isSecret(name) && member !== undefined ? censor : redact(member, depth + 1);
    if (shown === member) continue;
    copy ??= { ...value };
    copy[name] = shown;
  }
  return copy ?? value;
}

// The names that this program logs are few; others' are not kept.
const harmless: ReadonlySet<string> = new Set([
  'requestId',
  'method',
  'route',
  'status',
  'userId',
  'address',
  'ms',
  'err',
]);

function isSecret(name: string): boolean {
  if (harmless.has(name)) return false;
  return secretMembers.has(name) || secretMembers.has(name.replaceAll(/[_-]/g, '').toLowerCase());
}
