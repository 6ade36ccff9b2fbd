import { CliError } from './cli-error.ts';
import type { Context } from './context.ts';
import { decideConfirmation } from './presentation.ts';
import { shellWord } from './shell-words.ts';

/**
 * Makes sure that the person means this thing, before it is destroyed: they type its name, or gave it with `--confirm`.
 *
 * @throws {CliError} `SP_CLI_INPUT_NEEDED`, `SP_CLI_NOT_CONFIRMED`
 */
export async function confirmByName(
  context: Context,
  options: {
    readonly name: string;
    readonly given: string | undefined;
    /** What will happen, as a sentence. */
    readonly warning: string;
    /** The command line that asks for it. */
    readonly command: string;
  },
): Promise<void> {
  const { name, given, warning, command } = options;
  if (given === undefined && !context.interactive) {
    throw new CliError('SP_CLI_INPUT_NEEDED', `${warning} It must be confirmed`, {
      flags: ['--confirm'],
      next: [`${command} --confirm ${shellWord(name)}`],
    });
  }
  const typed = given ?? (await askName(context, { name, warning }));
  if (typed === name) return;
  throw new CliError('SP_CLI_NOT_CONFIRMED', `${JSON.stringify(typed)} is not the name ${JSON.stringify(name)}`);
}

/**
 * Asks yes or no, unless the person said yes already.
 *
 * @throws {CliError} `SP_CLI_INPUT_NEEDED`, `SP_CLI_CANCELLED`
 */
export async function confirmYes(
  context: Context,
  options: {
    readonly question: string;
    readonly yes: boolean;
    readonly command: string;
    /** Whether Enter alone is a no: what is destroyed does not come back. @defaultValue false */
    readonly destroys?: boolean;
  },
): Promise<void> {
  const { question, yes, command, destroys = false } = options;
  const confirmation = decideConfirmation({ prompts: context.interactive, yes });
  if (confirmation === 'given') return;
  if (confirmation === 'input-needed') {
    const next = [`${command} --yes`];
    throw new CliError('SP_CLI_INPUT_NEEDED', `${question} It must be confirmed`, { flags: ['--yes'], next });
  }
  const { askConfirm } = await import('./prompts.ts');
  if (!(await askConfirm(question, { initialValue: !destroys })))
    throw new CliError('SP_CLI_CANCELLED', 'Nothing was changed');
}

async function askName(context: Context, { name, warning }: { name: string; warning: string }): Promise<string> {
  const { askText } = await import('./prompts.ts');
  context.warn(warning);
  return askText({ message: `Type ${name} to go on` });
}
