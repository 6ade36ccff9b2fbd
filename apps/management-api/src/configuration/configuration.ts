import type * as z from 'zod';
import { isLoopbackHost, listenHostOf } from './listen-host.ts';
import { isLoopback } from './values.ts';
import type { ConfigurationFinding, Variable } from './variable.ts';
import { variables } from './variables.ts';

type Variables = typeof variables;

/** What a variable is when it was read: absent only where it has no default and is not always required. */
type ValueOf<V> = V extends { readonly schema: z.ZodType<infer Value, string> }
  ? V extends { readonly required: 'always' } | { readonly default: string }
    ? Value
    : Value | undefined
  : never;

/** Every variable by its name in the code, read and checked. Holds secrets. */
export type Configuration = { readonly [Name in keyof Variables]: ValueOf<Variables[Name]> };

/** The environment does not say what is needed. */
export class ConfigurationInvalid extends Error {
  override readonly name = 'ConfigurationInvalid';
  readonly code = 'SP_CONFIGURATION_INVALID';
  /** Everything that is wrong, in the order of the table. */
  readonly findings: readonly ConfigurationFinding[];

  constructor(findings: readonly ConfigurationFinding[]) {
    super(
      `The configuration has ${findings.length === 1 ? 'a problem' : `${findings.length} problems`}: ${findings
        .map(({ name, problem }) => `${name} ${problem}`)
        .join('; ')}`,
    );
    this.findings = findings;
  }
}

/** The environment, and how files of secrets are read. */
export interface ConfigurationSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of the file that a variable `…_FILE` names. */
  readFile(path: string): string;
}

const prefix = 'SP_API_';

/**
 * Reads the configuration.
 * @throws {ConfigurationInvalid} with everything that is wrong at once
 */
export function loadConfiguration(source: ConfigurationSource): Configuration {
  const all = Object.entries(variables) as [keyof Variables, Variable][];
  const findings: ConfigurationFinding[] = findUnknown(source.env);
  const texts = new Map(all.map(([, { name, ...facts }]) => [name, readText(source, { name, ...facts }, findings)]));
  const values: Record<string, unknown> = {};
  for (const [field, facts] of all) {
    const { name, schema } = facts;
    const text = texts.get(name);
    if (text === undefined) {
      const reason = missing(facts, texts);
      const told = findings.some((finding) => finding.name === name || finding.name === `${name}_FILE`);
      if (reason !== undefined && !told) findings.push({ name, problem: reason });
      continue;
    }
    const read = schema.safeParse(text);
    if (read.success) values[field] = read.data;
    else findings.push({ name, problem: read.error.issues[0]?.message ?? 'is not valid' });
  }
  if (findings.length === 0) findings.push(...findContradictions(values as unknown as Configuration));
  if (findings.length > 0) throw new ConfigurationInvalid(findings);
  return values as unknown as Configuration;
}

function readText(
  { env, readFile }: ConfigurationSource,
  { name, default: otherwise, secret = false }: Variable,
  findings: ConfigurationFinding[],
): string | undefined {
  const own = env[name];
  const file = secret ? env[`${name}_FILE`] : undefined;
  const isSet = own !== undefined && own !== '';
  if (file === undefined || file === '') return isSet ? own : otherwise;
  if (isSet) {
    findings.push({ name, problem: `is set, and ${name}_FILE too` });
    return undefined;
  }
  try {
    return readFile(file).replace(/\r?\n$/, '');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    findings.push({ name: `${name}_FILE`, problem: `names ${file}, which cannot be read (${reason})` });
    return undefined;
  }
}

function missing({ required }: Variable, texts: ReadonlyMap<string, string | undefined>): string | undefined {
  if (required === undefined) return undefined;
  if (required === 'always') return 'is missing';
  const other =
    texts
      .get(required.name)
      ?.split(',')
      .map((word) => word.trim()) ?? [];
  return other.includes(required.is) ? `is missing, and ${required.name} is ${required.is}` : undefined;
}

function findUnknown(env: ConfigurationSource['env']): ConfigurationFinding[] {
  const known = new Set(
    Object.values(variables as Readonly<Record<string, Variable>>).flatMap(({ name, secret = false }) =>
      secret ? [name, `${name}_FILE`] : [name],
    ),
  );
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.has(name))
    .toSorted()
    .map((name) => ({ name, problem: 'is not a variable of this program' }));
}

function findContradictions(values: Configuration): ConfigurationFinding[] {
  const findings: ConfigurationFinding[] = [];
  const { identity, billing, machines } = variables;
  if (values.identity.includes('sandbox') && values.identity.length > 1) {
    findings.push({ name: identity.name, problem: 'has sandbox beside others' });
  }
  // Whoever reaches it is anybody, pays nothing, or runs programs as the user of this one.
  const own = [
    ...(values.identity.includes('sandbox') ? [{ name: identity.name, is: 'sandbox' }] : []),
    ...(values.billing === 'sandbox' ? [{ name: billing.name, is: 'sandbox' }] : []),
    ...(values.machines === 'process' ? [{ name: machines.name, is: 'process' }] : []),
  ];
  const isPublic = !isLoopback(values.baseUrl);
  const host = listenHostOf(values);
  if (!isPublic && isLoopbackHost(host)) return findings;
  const where = isPublic ? 'on a public address' : `while others reach ${variables.listenHost.name} ${host}`;
  return [...findings, ...own.map(({ name, is }) => ({ name, problem: `is ${is} ${where}` }))];
}
