/**
 * Whether a person can be asked: there is a terminal on both sides, and nothing says that nobody is there. The one
 * place that decides it.
 */
export function isInteractive(world: {
  /** Whether stdin is a terminal. */
  readonly stdin: boolean;
  /** Whether stdout is a terminal. */
  readonly stdout: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether the result goes out as JSON. */
  readonly json: boolean;
  /** Whether `--non-interactive` was given. */
  readonly refused: boolean;
}): boolean {
  const { stdin, stdout, env, json, refused } = world;
  const said = (name: string): boolean => !['', '0', 'false'].includes(env[name]?.toLowerCase() ?? '');
  return stdin && stdout && !json && !refused && !said('SYSTEMPROMPT_NON_INTERACTIVE') && !said('CI');
}
