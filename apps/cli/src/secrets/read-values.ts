import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { askSecret, askText } from '../prompts.ts';

/**
 * The words of a command line that name secrets; without any, the name that the person types.
 *
 * @throws {CliError} `SP_CLI_INPUT_NEEDED`
 */
export async function secretWords(
  context: Context,
  words: readonly string[],
  options: { readonly command: string /** What stands for a word in the help. */; readonly word: string },
): Promise<readonly string[]> {
  if (words.length > 0) return words;
  const { command, word } = options;
  if (!context.interactive) {
    const message = `\`${command}\` needs at least one ${word}`;
    throw new CliError('SP_CLI_INPUT_NEEDED', message, { flags: [word], next: [`${command} ${word}`] });
  }
  return [await askText({ message: 'Name of the secret', validate: (name) => (name ? undefined : 'It is needed.') })];
}

/**
 * The secrets of a command line: `KEY=VALUE`, or `KEY` whose value is asked for or comes on stdin. Names become upper
 * case, as the predecessor's did.
 *
 * @throws {CliError} `SP_CLI_INPUT_NEEDED`, `SP_CLI_SECRET_REFUSED`, `SP_CLI_USAGE`
 */
export async function readValues(
  context: Context,
  words: readonly string[],
  options: { readonly stdin: boolean; readonly command: string },
): Promise<Readonly<Record<string, string>>> {
  const { stdin, command } = options;
  const pairs = words.map((word) => {
    const at = word.indexOf('=');
    return at === -1
      ? { name: word.toUpperCase() }
      : { name: word.slice(0, at).toUpperCase(), value: word.slice(at + 1) };
  });
  await refuseNames(pairs.map(({ name }) => name));
  const open = pairs.filter(({ value }) => value === undefined).map(({ name }) => name);
  if (stdin && open.length !== 1) throw new CliError('SP_CLI_USAGE', '--stdin is for exactly one KEY without a value');
  if (open.length > 0 && !stdin && !context.interactive) {
    const next = open.map((name) => `${command} ${name} --stdin < file-with-the-value`);
    throw new CliError('SP_CLI_INPUT_NEEDED', `There is no value for ${open.join(', ')}`, { flags: ['--stdin'], next });
  }
  const values: Record<string, string> = {};
  for (const { name, value } of pairs) {
    values[name] = value ?? (stdin ? (await context.readStdin()).replace(/\r?\n$/, '') : await askSecret(name));
  }
  return values;
}

/** @throws {CliError} `SP_CLI_SECRET_REFUSED` naming all that cannot be set */
export async function refuseNames(names: readonly string[]): Promise<void> {
  const { secretNamePattern, systemManagedSecrets } = await import('@sp/cloud-api');
  const refused = names.filter((name) => systemManagedSecrets.includes(name) || !secretNamePattern.test(name));
  if (refused.length === 0) return;
  const list = refused.map((name) => JSON.stringify(name)).join(', ');
  throw new CliError('SP_CLI_SECRET_REFUSED', `Cannot set or remove ${list}`, { available: [] });
}
