import { dirname, resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import type { TenantsFinding } from '../tenants-error.ts';
import { camelCase } from './camel-case.ts';
import type { Profile } from './profile.ts';
import { profileFindings } from './profile-rules.ts';
import { profileSchema } from './profile-schema.ts';
import { isTooDeep } from './yaml-depth.ts';

/** What a profile may refer to. */
export interface LoadProfileOptions {
  /** Where `${NAME}` in the file comes from; names that are not in it stay as they are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `~/` in `secrets.secrets_path` means. @defaultValue the user's home folder */
  readonly home?: string | undefined;
}

/** A profile as its text says, its paths still as they are written; or what is wrong with the text. */
export type ParsedProfile =
  | { readonly profile: Profile; readonly findings: readonly [] }
  | { readonly profile: undefined; readonly findings: readonly TenantsFinding[] };

/** Reads the text of a `profile.yaml`. Values never get into the findings. */
export function parseProfile(
  text: string,
  path: string,
  { env, home }: LoadProfileOptions & { readonly home: string },
): ParsedProfile {
  const variables = new Map(Object.entries(env));
  const filled = text.replace(/\$\{([A-Za-z0-9_]+)\}/g, (whole: string, name: string) => variables.get(name) ?? whole);
  if (isTooDeep(filled)) return { profile: undefined, findings: [{ member: 'file', problem: 'is nested too deeply' }] };
  let value: unknown;
  try {
    value = parse(filled, { logLevel: 'error' });
  } catch (error) {
    // Only where: the reason quotes the text, which may hold values of the environment by now.
    return { profile: undefined, findings: [{ member: 'file', problem: `is not YAML${placeOf(error)}` }] };
  }
  const parsed = profileSchema.safeParse(value);
  if (!parsed.success) {
    const findings = parsed.error.issues.map((issue) =>
      issue.path.length === 0
        ? { member: 'file', problem: 'has no members' }
        : { member: issue.path.join('.'), problem: problemOf(issue) },
    );
    return { profile: undefined, findings };
  }
  const { secrets, ...members } = camelCase(parsed.data);
  const secretsPath =
    secrets &&
    resolve(
      dirname(path),
      secrets.secretsPath.replace(/^~(?=\/)/, () => home),
    );
  const profile: Profile = {
    path,
    ...members,
    secrets: secrets && secretsPath ? { ...secrets, secretsPath } : undefined,
  };
  const findings = profileFindings(profile);
  return findings.length > 0 ? { profile: undefined, findings } : { profile, findings: [] };
}

function problemOf(issue: { readonly code?: string | undefined; readonly message: string }): string {
  if (issue.code === 'invalid_type') return 'is missing or of the wrong type';
  return issue.message.startsWith('must') ? issue.message : 'has an invalid value';
}

function placeOf(error: unknown): string {
  const [start] = (error instanceof YAMLParseError ? error.linePos : undefined) ?? [];
  return start === undefined ? '' : ` (line ${start.line}, column ${start.col})`;
}
