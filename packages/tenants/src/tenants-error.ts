/** Why something about tenants or profiles failed. Codes are stable; messages are not. */
export type TenantsErrorCode =
  | 'SP_TENANTS_CORRUPTED'
  | 'SP_TENANTS_INVALID'
  | 'SP_TENANTS_NOT_SYNCED'
  | 'SP_TENANTS_NOT_FOUND'
  | 'SP_TENANTS_AMBIGUOUS'
  | 'SP_PROFILE_EXISTS'
  | 'SP_PROFILE_NOT_FOUND'
  | 'SP_PROFILE_INVALID'
  | 'SP_PROFILE_SECRETS_INVALID'
  | 'SP_PROFILE_UNWRITABLE';

/** One thing that is wrong with a file. It names the member, never its value. */
export interface TenantsFinding {
  /** Member path with dots, for example `server.port`. */
  readonly member: string;
  /** What is wrong with it, for example `must not be empty`. */
  readonly problem: string;
}

/** The facts a {@link TenantsError} may carry besides its code. */
export interface TenantsErrorFacts {
  /** The file or folder that it is about. */
  readonly path?: string | undefined;
  /** Each thing that is wrong (`…_INVALID`). */
  readonly findings?: readonly TenantsFinding[] | undefined;
  /** Ids of the tenants that match (`SP_TENANTS_AMBIGUOUS`). */
  readonly matches?: readonly string[] | undefined;
  /** An error of the operating system. */
  readonly cause?: unknown;
}

const brand = Symbol.for('@sp/tenants.error');

/** The only error class of this package. It names files and members; it never holds their values. */
export class TenantsError extends Error {
  /** Always `TenantsError`. */
  override readonly name = 'TenantsError';
  /** Why; stable, for `switch`. */
  readonly code: TenantsErrorCode;
  /** The file or folder that it is about. */
  readonly path: string | undefined;
  /** Each thing that is wrong (`…_INVALID`). */
  readonly findings: readonly TenantsFinding[] | undefined;
  /** Ids of the tenants that match (`SP_TENANTS_AMBIGUOUS`). */
  readonly matches: readonly string[] | undefined;

  constructor(code: TenantsErrorCode, message: string, facts: TenantsErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.path = facts.path;
    this.findings = facts.findings;
    this.matches = facts.matches;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `value` is a {@link TenantsError}, also one from another copy of this package. */
export function isTenantsError(value: unknown): value is TenantsError {
  return typeof value === 'object' && value !== null && brand in value;
}

/** `member problem, member problem`: the end of a message about findings. */
export function listFindings(findings: readonly TenantsFinding[]): string {
  return findings.map(({ member, problem }) => `${member} ${problem}`).join(', ');
}
