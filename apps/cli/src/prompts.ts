import { CliError } from './cli-error.ts';

/** A value that is needed: taken from its flag, else asked for. */
export interface Question<T> {
  /** Name of the flag that gives the value without asking. */
  readonly flag: string;
  readonly value: T | undefined;
  ask(): Promise<T>;
}

/** Asks on the terminal. clack never settles without one, so callers check first, see {@link answerAll}. */
export async function askText(options: {
  message: string;
  placeholder?: string;
  initialValue?: string;
  validate?: (value: string) => string | undefined;
}): Promise<string> {
  const { text } = await import('@clack/prompts');
  const { validate, ...rest } = options;
  return answered(
    await text({ ...rest, output: process.stderr, validate: (value) => validate?.(value ?? '') ?? undefined }),
  );
}

/** Lets the person pick one of `options`. */
export async function askSelect(options: {
  message: string;
  options: readonly { value: string; label: string; hint?: string }[];
  initialValue?: string;
}): Promise<string> {
  const { select } = await import('@clack/prompts');
  return answered(await select({ ...options, options: [...options.options], output: process.stderr }));
}

/** Asks for a value that is not shown. */
export async function askSecret(message: string): Promise<string> {
  const { password } = await import('@clack/prompts');
  return answered(await password({ message, output: process.stderr }));
}

/** Asks yes or no; Enter alone is `initialValue`. */
export async function askConfirm(message: string, { initialValue = true } = {}): Promise<boolean> {
  const { confirm } = await import('@clack/prompts');
  return answered(await confirm({ message, initialValue, output: process.stderr }));
}

/**
 * The answers to all questions, in order.
 *
 * @throws {CliError} `SP_CLI_INPUT_NEEDED` naming every missing flag at once when nobody can be asked.
 */
export async function answerAll<T extends readonly Question<string>[]>(
  questions: T,
  options: { interactive: boolean; command: string; next: () => Promise<readonly string[]> },
): Promise<{ [K in keyof T]: string }> {
  const missing = questions.filter((question) => question.value === undefined).map((question) => `--${question.flag}`);
  if (missing.length > 0 && !options.interactive) {
    throw new CliError('SP_CLI_INPUT_NEEDED', `\`${options.command}\` needs ${missing.join(', ')}`, {
      flags: missing,
      next: await options.next(),
    });
  }
  const answers: string[] = [];
  for (const question of questions) answers.push(question.value ?? (await question.ask()));
  return answers as { [K in keyof T]: string };
}

function answered<T>(value: T): Exclude<T, symbol> {
  if (typeof value === 'symbol') throw new CliError('SP_CLI_INTERRUPTED', 'Interrupted');
  return value as Exclude<T, symbol>;
}
