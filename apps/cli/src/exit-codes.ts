/** The exit codes of every command. They are part of the stable interface: scripts depend on them. */
export const exitCodes = {
  ok: 0,
  /** It did not work, and no other code says why. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** A value is missing and nobody can be asked; `--json` lists ready-to-run `next` commands. */
  inputNeeded: 3,
  notLoggedIn: 4,
  notFound: 5,
  conflict: 6,
  forbidden: 7,
  /** What was waited for is still going on. */
  pending: 8,
  changesPending: 9,
  rolledBack: 10,
  partlyDone: 11,
  network: 12,
  /** A defect of this program. */
  bug: 70,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
