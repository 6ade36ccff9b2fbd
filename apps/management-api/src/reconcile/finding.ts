/** How what a provider has can differ from what the database says. */
export type FindingKind =
  /** A tenant runs, and its machine is not there or has exited. Repaired by starting it. */
  | 'machine_missing'
  /** A tenant's machine is reached elsewhere than requests are sent to. Repaired by sending them there. */
  | 'machine_moved'
  /** A machine of a release that is not the one that runs, or of a tenant that does not run. Repaired by stopping it. */
  | 'machine_unexpected'
  /** An app of no tenant. Told only. */
  | 'app_unknown'
  /** An app of a tenant that was deleted. Told only: its volume holds data. */
  | 'app_unexpected'
  /** The database of a tenant is not there. Told only: an empty one in its place would hide the loss. */
  | 'database_missing'
  /** The database of a tenant that was deleted, or of none. Dropped when its deletion was begun by us, else told only. */
  | 'database_unexpected'
  /** The login role of a tenant is closed, or the one that is not in use is open. Repaired by opening or closing it. */
  | 'login_differs'
  /** A database is reached from outside, or is not, and should be otherwise. Repaired by doing so. */
  | 'external_access_differs'
  /** Images of a tenant that was deleted, or of none. Repaired by removing them when it was deleted, else told only. */
  | 'images_unexpected'
  /** Work that ended every process that tried it, for a tenant that nothing was done to since. Told only: a mistake of the program. */
  | 'workflow_given_up';

/** One difference. */
export interface Finding {
  readonly kind: FindingKind;
  readonly tenantId?: string | undefined;
  /** The provider's name for the thing: of a release, an app, a database, a repository or a workflow. */
  readonly subject: string;
  /** `repaired`; `reported` where nothing was done on purpose; `failed` where the repair did not succeed. */
  readonly outcome: 'repaired' | 'reported' | 'failed';
  /** Why the repair failed; one line. */
  readonly failure?: string | undefined;
}

/** A difference before anything is done about it; without `repair` there is nothing to do that would be safe. */
export interface Difference extends Pick<Finding, 'kind' | 'tenantId' | 'subject'> {
  /** Nobody waits for it once the signal is aborted. */
  readonly repair?: ((signal: AbortSignal) => Promise<unknown>) | undefined;
}
