const brand = Symbol.for('@sp/paths.error');

/** What went wrong with a path; see the table in the README. */
export type PathsErrorCode = 'SP_PATHS_PROFILE_NAME';

/** The only error of this package. */
export class PathsError extends Error {
  /** Always `PathsError`. */
  override readonly name = 'PathsError';
  /** Why; stable, for `switch`. */
  readonly code: PathsErrorCode;
  /** The profile name as given. */
  readonly profileName: string;

  constructor(code: PathsErrorCode, message: string, facts: { readonly profileName: string }) {
    super(message);
    this.code = code;
    this.profileName = facts.profileName;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for a {@link PathsError} of any copy of this package. */
export function isPathsError(value: unknown): value is PathsError {
  return typeof value === 'object' && value !== null && brand in value;
}
