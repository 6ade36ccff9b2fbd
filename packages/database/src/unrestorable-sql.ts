/** Why SQL cannot be restored. */
export interface SqlProblem {
  /** From 1. */
  readonly line: number;
  /** `unsuitable`: it does what a restore must not; `damaged`: it ends too early. */
  readonly kind: 'unsuitable' | 'damaged';
  readonly reason: string;
}

/** {@link SqlProblem} as it leaves the stream. */
export class UnrestorableSql extends Error {
  override readonly name = 'UnrestorableSql';
  readonly problem: SqlProblem;

  constructor(problem: SqlProblem) {
    super(`${problem.reason} in line ${problem.line}`);
    this.problem = problem;
  }
}
