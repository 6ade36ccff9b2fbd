/** What one check found. */
export interface Finding {
  /**
   * `node`, `project`, `files`, `credentials`, `api`, `clock`, `registry`, `docker`, `ports`, `postgres`, `proxy`; of a tenant `tenant`,
   * `memory`, `database`, `health`, `certificate`, `api-keys`
   */
  readonly check: string;
  /** `warning`: works, but not everything will. */
  readonly status: 'ok' | 'warning' | 'problem';
  readonly message: string;
  /** What to do about it: a sentence or a command line. */
  readonly fix?: string | undefined;
  /** Whether `--fix` has done it. */
  readonly fixed?: boolean | undefined;
}
